/** A peer's signed word that it is there and how much it holds for others (docs/specs/pledge.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import { SalusError } from '#core/error.ts'

const AREA = 'PLEDGE'
const SIGNING_LABEL = 'salus/pledge/1'
const FIELDS = ['network', 'peerKey', 'bytes', 'sequence', 'validUntilS', 'operator', 'region', 'addresses'] as const

/** Most bytes of a pledge. */
export const MAX_PLEDGE_BYTES = 1024

/** Most bytes that one pledge counts for: more of a network than this, one word shall not draw to itself. */
export const MAX_PLEDGED_BYTES: number = 64 * 2 ** 40

/** Longest time for which a pledge may be made, in seconds: an old one that is shown again ends by itself. */
export const MAX_PLEDGE_S = 86_400

/** How far clocks may differ, in seconds. */
export const PLEDGE_SKEW_S = 3_600

const MAX_ADDRESSES = 4
const MAX_ADDRESS_BYTES = 128
const MAX_NAME = 64

/** What a peer pledges. */
export interface Pledge {
  /** Network identifier, 32 bytes. */
  readonly network: Uint8Array
  /** The peer's Ed25519 key, 32 bytes. */
  readonly peerKey: Uint8Array
  /** Bytes of blobs that it holds for others; 0 where it is not willing. */
  readonly bytes: number
  /** Rises with every pledge of the peer; a new one also says that the peer is alive. */
  readonly sequence: number
  /** End, in seconds since 1970. */
  readonly validUntilS: number
  /** Who runs it, by its own word; empty where it does not say. In a consortium the registry's word counts. */
  readonly operator: string
  /** Where it stands, by its own word. */
  readonly region: string
  /** Multiaddresses in bytes, where others reach it. */
  readonly addresses: readonly Uint8Array[]
}

/** The signed bytes of a pledge, by the seed of the peer's key. */
export function signPledge(p: Primitives, pledge: Pledge, seed: Uint8Array): Uint8Array {
  const body = { v: 1, ...pledge }
  return encodeCanonical({ ...body, signature: p.ed25519Sign(seed, signingInput(SIGNING_LABEL, body)) })
}

/**
 * Reads a pledge and checks who signed it; not its time, see {@link checkPledgeTime}.
 *
 * @throws SalusError the `PLEDGE_*` codes of the canonical decoder; `PLEDGE_SHAPE`, `PLEDGE_VERSION`; `PLEDGE_NETWORK` for another
 * network; `PLEDGE_SIGNATURE`
 */
export function decodePledge(p: Primitives, bytes: Uint8Array, network: Uint8Array): Pledge {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_PLEDGE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', ...FIELDS, 'signature'])
  const pledge: Pledge = {
    network: readBytes(map['network'], AREA, 'network', 32),
    peerKey: readBytes(map['peerKey'], AREA, 'peerKey', 32),
    bytes: readUint(map['bytes'], AREA, 'bytes', MAX_PLEDGED_BYTES),
    sequence: readUint(map['sequence'], AREA, 'sequence'),
    validUntilS: readUint(map['validUntilS'], AREA, 'validUntilS', 2 ** 40),
    operator: readText(map['operator'], AREA, 'operator', MAX_NAME),
    region: readText(map['region'], AREA, 'region', MAX_NAME),
    addresses: readList(map['addresses'], AREA, 'addresses', MAX_ADDRESSES, item =>
      readBytes(item, AREA, 'addresses', { min: 1, max: MAX_ADDRESS_BYTES })
    )
  }
  if (!equalBytes(pledge.network, network)) {
    throw new SalusError('PLEDGE_NETWORK', 'Refused: the pledge is for another network.')
  }
  const signature = readBytes(map['signature'], AREA, 'signature', 64)
  if (!p.ed25519Verify(pledge.peerKey, signingInput(SIGNING_LABEL, { v: 1, ...pledge }), signature)) {
    throw new SalusError('PLEDGE_SIGNATURE', 'Refused: the pledge was not signed by its peer.')
  }
  return pledge
}

/**
 * Checks a pledge's end against a clock.
 *
 * @throws SalusError `PLEDGE_EXPIRED`; `PLEDGE_FUTURE` if it is made for longer than a day, or by a clock that is an hour ahead
 */
export function checkPledgeTime({ validUntilS }: Pledge, nowS: number): void {
  if (validUntilS + PLEDGE_SKEW_S < nowS) {
    throw new SalusError('PLEDGE_EXPIRED', 'The pledge has ended; ask the peer for a new one.')
  }
  if (validUntilS > nowS + MAX_PLEDGE_S + PLEDGE_SKEW_S) {
    throw new SalusError('PLEDGE_FUTURE', 'The pledge is made for too long, or by a clock that is ahead.')
  }
}
