/** What a gateway signs for an aggregator: the head of its tree, as one leaf under a super-root (docs/specs/super-root.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { signingInput } from '#core/crypto/signing-input.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { MAX_INTEGER } from '#core/batch/reading.ts'

const AREA = 'GATEWAY_HEAD'
const VERSION = 1
const SIGNING_LABEL = 'salus/gateway-head/1'
const FIELDS = ['v', 'network', 'gateway', 'sequence', 'treeSize', 'root', 'previousRoot']

/** Most bytes of an encoded head. */
export const MAX_GATEWAY_HEAD_BYTES = 256

/** The head of a gateway's tree under a super-root. */
export interface GatewayHead {
  readonly network: Uint8Array
  /** Gateway id, 32 bytes. */
  readonly gateway: Uint8Array
  /** Number of the head among all that the gateway signed for super-roots, from 1; anchors of its own are counted apart. */
  readonly sequence: number
  readonly treeSize: number
  readonly root: Uint8Array
  /** Root of the head before; null for the first. */
  readonly previousRoot: Uint8Array | null
}

/** A head as it travels: canonical bytes and the gateway's Ed25519 signature over them. */
export interface SignedGatewayHead {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** Signs a head with the seed of the gateway's Ed25519 key, the one that signs its batches. */
export function signGatewayHead(p: Primitives, head: GatewayHead, signSeed: Uint8Array): SignedGatewayHead {
  const bytes = encodeCanonical({ v: VERSION, ...head })
  return { bytes, signature: p.ed25519Sign(signSeed, signingInput(SIGNING_LABEL, bytes)) }
}

/** Whether the signature is by the holder of an Ed25519 public key. */
export function verifyGatewayHead(
  p: Primitives,
  { bytes, signature }: SignedGatewayHead,
  signKey: Uint8Array
): boolean {
  return p.ed25519Verify(signKey, signingInput(SIGNING_LABEL, bytes), signature)
}

/**
 * Reads a head; the signature is checked apart by {@link verifyGatewayHead}.
 *
 * @throws SalusError `GATEWAY_HEAD_*` of the canonical decoder, `GATEWAY_HEAD_VERSION`, `GATEWAY_HEAD_SHAPE`
 */
export function decodeGatewayHead(bytes: Uint8Array): GatewayHead {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_GATEWAY_HEAD_BYTES })
  if (readMap(value, AREA, ['v'], FIELDS)['v'] !== VERSION) {
    throw new SalusError('GATEWAY_HEAD_VERSION', 'Refused: this head has another version; use a newer Salus.')
  }
  const map = readMap(value, AREA, FIELDS)
  const head: GatewayHead = {
    network: readBytes(map['network'], AREA, 'network', 32),
    gateway: readBytes(map['gateway'], AREA, 'gateway', 32),
    sequence: readUint(map['sequence'], AREA, 'sequence', MAX_INTEGER),
    treeSize: readUint(map['treeSize'], AREA, 'treeSize', MAX_INTEGER),
    root: readBytes(map['root'], AREA, 'root', 32),
    previousRoot: map['previousRoot'] === null ? null : readBytes(map['previousRoot'], AREA, 'previousRoot', 32)
  }
  if (head.sequence === 0 || (head.sequence === 1) !== (head.previousRoot === null)) {
    throw new SalusError('GATEWAY_HEAD_SHAPE', 'Refused: the gateway’s head contradicts itself.')
  }
  return head
}

/**
 * Checks that a head is the next one of its gateway: nothing was left out between the two.
 *
 * @param before - null for the first
 * @throws SalusError `GATEWAY_HEAD_ORDER` if it is of another gateway, has another number, names another root before it, or
 * its tree lost leaves
 */
export function requireNextHead(before: GatewayHead | null, head: GatewayHead): void {
  const follows =
    before == null
      ? head.sequence === 1
      : equalBytes(head.network, before.network) &&
        equalBytes(head.gateway, before.gateway) &&
        head.sequence === before.sequence + 1 &&
        head.treeSize >= before.treeSize &&
        head.previousRoot != null &&
        equalBytes(head.previousRoot, before.root)
  if (!follows) throw new SalusError('GATEWAY_HEAD_ORDER', 'Refused: the head does not follow the one before it.')
}
