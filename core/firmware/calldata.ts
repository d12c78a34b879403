/**
 * Signatures as they were handed to the chain. `FirmwareRegistry` checks them and keeps none, so a device takes them
 * from the calldata of the transaction that emitted the event; they prove themselves, so it does not matter who sent
 * the transaction or who hands it over (docs/specs/firmware-release.md).
 */
import { Interface, type Result, type TransactionDescription } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Keysets, SignerSet } from '#core/firmware/keyset.ts'
import type { Approval, ReleaseTerms } from '#core/firmware/release.ts'
import type { Rotation } from '#core/firmware/rotation.ts'

/** More than any publication takes: a manifest of 2 KiB and 16 signatures. */
const MAX_CALLDATA_BYTES = 65_536

/** What a transaction published. */
export interface Publication {
  readonly terms: ReleaseTerms
  readonly manifest: Uint8Array
  readonly approvals: readonly Approval[]
}

const registry = new Interface(firmwareRegistryAbi)

/**
 * Reads a call of `publish`.
 *
 * @throws SalusError `FIRMWARE_CALLDATA` if the transaction is no direct call of it
 */
export function readPublication(data: string): Publication {
  return readCall(data, 'publish', args => {
    const terms = args.getValue('terms') as Result
    return {
      terms: {
        model: hexOf(terms.getValue('model')),
        sequence: Number(terms.getValue('sequence')),
        securityCounter: Number(terms.getValue('securityCounter')),
        kind: Number(terms.getValue('kind')),
        sizeBytes: Number(terms.getValue('sizeBytes')),
        imageSha256: hexOf(terms.getValue('imageSha256')),
        manifestDigest: hexOf(terms.getValue('manifestDigest')),
        notBefore: Number(terms.getValue('notBefore')),
        keysetVersion: Number(terms.getValue('keysetVersion')),
        deadline: terms.getValue('deadline') as bigint
      },
      manifest: fromHex(hexOf(args.getValue('manifest'))),
      approvals: approvalsOf(args.getValue('by'))
    }
  })
}

/**
 * Reads a call of `registerManufacturer`: the one place where a manufacturer's salt stands.
 *
 * @throws SalusError `FIRMWARE_CALLDATA` if the transaction is no direct call of it
 */
export function readRegistration(data: string): Keysets & { readonly salt: Hex } {
  return readCall(data, 'registerManufacturer', args => ({
    ...keysetsOf(args.getValue('keysets')),
    salt: hexOf(args.getValue('salt'))
  }))
}

/**
 * Reads a call of `proposeRotation`.
 *
 * @throws SalusError `FIRMWARE_CALLDATA` if the transaction is no direct call of it
 */
export function readRotation(data: string): Rotation {
  return readCall(data, 'proposeRotation', args => ({
    manufacturer: hexOf(args.getValue('manufacturer')),
    next: keysetsOf(args.getValue('next')),
    nonce: Number(args.getValue('nonce')),
    deadline: args.getValue('deadline') as bigint,
    byOld: approvalsOf(args.getValue('byOld')),
    byNew: approvalsOf(args.getValue('byNew'))
  }))
}

function keysetsOf(value: unknown): Keysets {
  const keysets = value as Result
  const set = (role: string): SignerSet => {
    const given = keysets.getValue(role) as Result
    return {
      threshold: Number(given.getValue('threshold')),
      signers: Array.from(given.getValue('signers') as Result, hexOf)
    }
  }
  return {
    root: set('root'),
    release: set('release'),
    guard: set('guard'),
    steward: set('steward'),
    silenceDays: Number(keysets.getValue('silenceDays'))
  }
}

function approvalsOf(quorum: unknown): Approval[] {
  return Array.from((quorum as Result).getValue('approvals') as Result, item => {
    const approval = item as Result
    return {
      index: Number(approval.getValue('index')),
      signer: hexOf(approval.getValue('signer')),
      signature: hexOf(approval.getValue('signature'))
    }
  })
}

function readCall<T>(data: string, name: string, read: (args: Result) => T): T {
  if (data.length <= 2 + 2 * MAX_CALLDATA_BYTES) {
    try {
      const call: TransactionDescription | null = registry.parseTransaction({ data })
      if (call?.name === name) return read(call.args)
    } catch (cause) {
      throw refused({ cause })
    }
  }
  throw refused()
}

function refused(options?: { cause: unknown }): SalusError {
  return new SalusError(
    'FIRMWARE_CALLDATA',
    'Refused: the transaction does not carry the maker’s signatures. It must call the registry directly.',
    options
  )
}

function hexOf(value: unknown): Hex {
  if (typeof value !== 'string' || !value.startsWith('0x')) throw new TypeError('expected hexadecimal')
  return value.toLowerCase() as Hex
}
