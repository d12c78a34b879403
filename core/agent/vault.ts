/**
 * The sealed file that an agent keeps its secrets in (docs/specs/vault.md): one data key seals the state, and each lock wraps
 * that data key under a key of its own, so that a passphrase and a passkey can open the same vault.
 */
import { SalusError, isSalusError } from '#core/error.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SALT_BYTES, openChunked, sealChunked, sealedLength } from '#core/record/chunked.ts'
import { pad, unpad } from '#core/record/padding.ts'

const AREA = 'VAULT'
const KEY_BYTES = 32
const WRAPPED_BYTES: number = sealedLength(KEY_BYTES)
const MAX_LOCKS = 16
const MAX_KIND_LENGTH = 32
const MAX_PARAMETER_BYTES = 1024

/** The most bytes a vault may have. */
export const MAX_VAULT_BYTES = 201_326_592

/** One way to open a vault; `parameters` and `wrapped` lie in the file for all to see. */
export interface VaultLock {
  /** For example `passphrase`. */
  readonly kind: string
  /** The unlocker's own bytes, for example the salt and cost of a passphrase. */
  readonly parameters: Uint8Array
  /** The data key, sealed under the lock's key. */
  readonly wrapped: Uint8Array
}

/** What opens a lock: a passphrase, or later a passkey. */
export interface Unlocker {
  readonly kind: string
  /** Parameters of a new lock. */
  enrol(): Uint8Array
  /**
   * The 32-byte key of a lock.
   *
   * @throws SalusError if the parameters are not those of this kind
   */
  keyOf(parameters: Uint8Array): Promise<Uint8Array>
}

/** An open vault: secret. {@link wipeVault} forgets it. */
export interface OpenVault {
  readonly dataKey: Uint8Array
  readonly locks: readonly VaultLock[]
  readonly state: Uint8Array
}

function lockContext(kind: string, parameters: Uint8Array): Uint8Array {
  return encodeCanonical({ v: 1, kind, parameters })
}

/** Binds the state to the locks beside it: no lock of an older file opens a newer state. */
function stateContext(locks: readonly VaultLock[]): Uint8Array {
  return encodeCanonical({ v: 1, label: 'salus/vault/1', locks })
}

/** Makes a lock for a data key. */
export async function makeLock(
  p: Primitives,
  random: Random,
  dataKey: Uint8Array,
  unlocker: Unlocker
): Promise<VaultLock> {
  const { kind } = unlocker
  const parameters = unlocker.enrol()
  const key = await unlocker.keyOf(parameters)
  const context = lockContext(kind, parameters)
  const wrapped = sealChunked(p, { key, salt: random(SALT_BYTES), context, plaintext: dataKey })
  key.fill(0)
  return { kind, parameters, wrapped }
}

/**
 * A new vault under fresh keys.
 *
 * @param unlockers - at least one
 */
export async function createVault(
  p: Primitives,
  random: Random,
  unlockers: readonly Unlocker[],
  state: Uint8Array
): Promise<OpenVault> {
  const dataKey = random(KEY_BYTES)
  const locks: VaultLock[] = []
  for (const each of unlockers) locks.push(await makeLock(p, random, dataKey, each))
  return { dataKey, locks, state }
}

/** The bytes to keep. */
export function sealVault(p: Primitives, random: Random, { dataKey, locks, state }: OpenVault): Uint8Array {
  const padded = pad(state)
  const sealed = sealChunked(p, {
    key: dataKey,
    salt: random(SALT_BYTES),
    context: stateContext(locks),
    plaintext: padded
  })
  padded.fill(0)
  return encodeCanonical({ v: 1, locks, sealed })
}

/**
 * Opens a vault; nothing comes out unless all of it is whole.
 *
 * @throws SalusError `VAULT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`; `VAULT_NO_LOCK` (none of this kind), `VAULT_REFUSED` (wrong secret, or an altered lock), `VAULT_DAMAGED`, and what the
 * unlocker throws
 */
export async function openVault(p: Primitives, bytes: Uint8Array, unlocker: Unlocker): Promise<OpenVault> {
  const { locks, sealed } = decodeVault(bytes)
  const candidates = locks.filter(({ kind }) => kind === unlocker.kind)
  if (candidates.length === 0) {
    throw new SalusError('VAULT_NO_LOCK', 'This vault cannot be opened that way; use another of its locks.')
  }
  for (const lock of candidates) {
    const dataKey = await openLock(p, lock, unlocker)
    if (dataKey != null) return { dataKey, locks, state: openState(p, dataKey, locks, sealed) }
  }
  throw new SalusError('VAULT_REFUSED', 'This does not open the vault: a wrong passphrase, or an altered file.')
}

async function openLock(p: Primitives, lock: VaultLock, unlocker: Unlocker): Promise<Uint8Array | undefined> {
  const key = await unlocker.keyOf(lock.parameters)
  try {
    return openChunked(p, { key, context: lockContext(lock.kind, lock.parameters), sealed: lock.wrapped })
  } catch (error) {
    if (isSalusError(error, 'SEALED_KEY') || isSalusError(error, 'SEALED_FORGED')) return undefined
    throw error
  } finally {
    key.fill(0)
  }
}

function openState(p: Primitives, dataKey: Uint8Array, locks: readonly VaultLock[], sealed: Uint8Array): Uint8Array {
  try {
    return unpad(openChunked(p, { key: dataKey, context: stateContext(locks), sealed }))
  } catch (cause) {
    dataKey.fill(0)
    throw new SalusError('VAULT_DAMAGED', 'The vault was altered or is damaged; restore a copy or recover.', { cause })
  }
}

function decodeVault(bytes: Uint8Array): { locks: VaultLock[]; sealed: Uint8Array } {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_VAULT_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'locks', 'sealed'])
  return {
    locks: readList(map['locks'], AREA, 'locks', MAX_LOCKS, readLock),
    sealed: readBytes(map['sealed'], AREA, 'sealed', { min: sealedLength(0), max: MAX_VAULT_BYTES })
  }
}

function readLock(value: unknown): VaultLock {
  const map = readMap(value, AREA, ['kind', 'parameters', 'wrapped'])
  return {
    kind: readText(map['kind'], AREA, 'kind', MAX_KIND_LENGTH),
    parameters: readBytes(map['parameters'], AREA, 'parameters', { min: 0, max: MAX_PARAMETER_BYTES }),
    wrapped: readBytes(map['wrapped'], AREA, 'wrapped', WRAPPED_BYTES)
  }
}

/** Overwrites what an open vault holds, as far as this language allows: copies that the engine made stay until collected. */
export function wipeVault({ dataKey, state }: OpenVault): void {
  dataKey.fill(0)
  state.fill(0)
}
