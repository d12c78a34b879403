/**
 * Those who watch one patient's alarms (docs/specs/alarm.md#watch-group). A secret is sealed to each of them once; alerts are then
 * sealed by keys that derive from it, which takes microseconds and waits for nobody.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { SalusError } from '#core/error.ts'
import { equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SUITE_SIZES, hpkeOpen, hpkeSeal, isSuiteId, type KemKeyPair, type SuiteId } from '#core/crypto/hpke.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { MAX_ALERT_BYTES } from '#core/clinical/alert.ts'

const AREA = 'WATCH_GROUP'
const SEALED_AREA = 'SEALED_ALERT'
const LABEL = 'salus/watch-group/1'
const INFO = utf8('salus/watch-group/1')
const KEY_INFO = utf8('salus/sealed-alert/1')
const SECRET_BYTES = 32
const SALT_BYTES = 16
const TAG_BYTES = 16

/** Most members of a group. */
export const MAX_WATCHERS = 64

/** Most bytes of a group. */
export const MAX_WATCH_GROUP_BYTES: number = MAX_WATCHERS * 1280 + 256

/** Most bytes of a sealed alert. */
export const MAX_SEALED_ALERT_BYTES: number = MAX_ALERT_BYTES + 256

/** One member's encryption key. */
export interface Watcher {
  readonly suite: SuiteId
  readonly publicKey: Uint8Array
}

/** A secret shared with a group. It is replaced with every change of its members. */
export interface WatchKey {
  /** 32 bytes each. */
  readonly gateway: Uint8Array
  /** SHA-256 of the group's bytes without its signature. */
  readonly group: Uint8Array
  readonly secret: Uint8Array
}

interface Seat {
  readonly suite: SuiteId
  readonly kemKey: Uint8Array
  readonly enc: Uint8Array
  readonly ct: Uint8Array
}

/**
 * Makes a group: its signed bytes, which each member opens, and the gateway's own key.
 *
 * @throws SalusError `HPKE_PUBLIC_KEY`
 */
export async function makeWatchGroup(
  p: Primitives,
  random: Random,
  gateway: { readonly id: Uint8Array; readonly signSeed: Uint8Array },
  watchers: readonly Watcher[]
): Promise<{ readonly bytes: Uint8Array; readonly key: WatchKey }> {
  const secret = random(SECRET_BYTES)
  const seats = await Promise.all(
    watchers.slice(0, MAX_WATCHERS).map(async (watcher): Promise<Seat> => {
      const { suite, publicKey } = watcher
      const sealed = await hpkeSeal(random, watcher, { info: INFO, aad: gateway.id, plaintext: secret })
      return { suite, kemKey: keccak_256(publicKey), enc: sealed.encapsulation, ct: sealed.ciphertext }
    })
  )
  const fields = { v: 1, gateway: gateway.id, seats }
  const bytes = encodeCanonical({ ...fields, sig: p.ed25519Sign(gateway.signSeed, signingInput(LABEL, fields)) })
  return { bytes, key: { gateway: gateway.id, group: p.sha256(encodeCanonical(fields)), secret } }
}

/**
 * Opens a group as a member.
 *
 * @param signKey - the gateway's Ed25519 key
 * @throws SalusError `WATCH_GROUP_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `WATCH_GROUP_SIGNATURE`, `WATCH_GROUP_MEMBER` (sealed to none of these keys), `HPKE_OPEN`
 */
export async function openWatchGroup(
  p: Primitives,
  bytes: Uint8Array,
  signKey: Uint8Array,
  keys: readonly KemKeyPair[]
): Promise<WatchKey> {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_WATCH_GROUP_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'gateway', 'seats', 'sig'])
  const gateway = readBytes(map['gateway'], AREA, 'gateway', 32)
  const seats = readList(map['seats'], AREA, 'seats', MAX_WATCHERS, readSeat)
  const fields = { v: 1, gateway, seats }
  if (!p.ed25519Verify(signKey, signingInput(LABEL, fields), readBytes(map['sig'], AREA, 'sig', 64))) {
    throw new SalusError('WATCH_GROUP_SIGNATURE', 'Refused: the gateway did not sign this group.')
  }
  for (const seat of seats) {
    const key = keys.find(each => each.suite === seat.suite && equalBytes(keccak_256(each.publicKey), seat.kemKey))
    if (key == null) continue
    const secret = await hpkeOpen(key, { encapsulation: seat.enc, ciphertext: seat.ct, info: INFO, aad: gateway })
    return { gateway, group: p.sha256(encodeCanonical(fields)), secret }
  }
  throw new SalusError('WATCH_GROUP_MEMBER', 'This group’s alarms are sealed to others.')
}

function readSeat(value: unknown): Seat {
  const map = readMap(value, AREA, ['suite', 'kemKey', 'enc', 'ct'])
  const suite = readUint(map['suite'], AREA, 'suite', 255)
  if (!isSuiteId(suite))
    throw new SalusError('WATCH_GROUP_SHAPE', 'Refused: an encryption suite unknown to this version.')
  return {
    suite,
    kemKey: readBytes(map['kemKey'], AREA, 'kemKey', 32),
    enc: readBytes(map['enc'], AREA, 'enc', SUITE_SIZES[suite].encapsulationBytes),
    ct: readBytes(map['ct'], AREA, 'ct', SECRET_BYTES + TAG_BYTES)
  }
}

/** Seals the bytes of a signed alert to the group. */
export function sealAlert(p: Primitives, random: Random, key: WatchKey, signed: Uint8Array): Uint8Array {
  const salt = random(SALT_BYTES)
  const aad = aadOf(key.group, salt)
  // Each alert has its own key, so the nonce is 0 in all of them.
  const ct = p.aes256GcmSeal(alertKey(p, key, salt), new Uint8Array(12), signed, aad)
  return encodeCanonical({ v: 1, group: key.group, salt, ct })
}

/**
 * Opens a sealed alert; what is inside is then for {@link openAlert} to check.
 *
 * @throws SalusError `SEALED_ALERT_TRUNCATED`, `_OVERSIZE`, `_DUPLICATE_KEY`, `_TRAILING`, `_NOT_CANONICAL`, `_MALFORMED`, `_VERSION`,
 * `_SHAPE`, `SEALED_ALERT_GROUP` (of a group whose key this is not), `SEALED_ALERT_OPEN`
 */
export function unsealAlert(p: Primitives, bytes: Uint8Array, key: WatchKey): Uint8Array {
  const value = decodeCanonical(bytes, { area: SEALED_AREA, maxBytes: MAX_SEALED_ALERT_BYTES })
  readVersion(value, SEALED_AREA)
  const map = readMap(value, SEALED_AREA, ['v', 'group', 'salt', 'ct'])
  const group = readBytes(map['group'], SEALED_AREA, 'group', 32)
  const salt = readBytes(map['salt'], SEALED_AREA, 'salt', SALT_BYTES)
  const ct = readBytes(map['ct'], SEALED_AREA, 'ct', { min: TAG_BYTES, max: MAX_ALERT_BYTES + TAG_BYTES })
  if (!equalBytes(group, key.group)) {
    throw new SalusError('SEALED_ALERT_GROUP', 'This alert is of another group; fetch the newest group of the gateway.')
  }
  const opened = p.aes256GcmOpen(alertKey(p, key, salt), new Uint8Array(12), ct, aadOf(group, salt))
  if (opened == null) throw new SalusError('SEALED_ALERT_OPEN', 'Refused: this alert was altered.')
  return opened
}

function alertKey(p: Primitives, { secret, group }: WatchKey, salt: Uint8Array): Uint8Array {
  return p.hkdfSha256(secret, salt, encodeCanonical([KEY_INFO, group]), 32)
}

function aadOf(group: Uint8Array, salt: Uint8Array): Uint8Array {
  return encodeCanonical([1, group, salt])
}
