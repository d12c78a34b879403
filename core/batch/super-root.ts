/** One Merkle tree over the heads of many gateways, and each gateway's path in it (docs/specs/super-root.md). */
import type { Primitives } from '#core/crypto/primitives.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import {
  decodeGatewayHead,
  verifyGatewayHead,
  type GatewayHead,
  type SignedGatewayHead
} from '#core/batch/gateway-head.ts'
import { leafHash, verifyInclusion } from '#core/batch/merkle.ts'
import { appendLeaf, createTree, inclusionProof, rangeOf, rangeRoot } from '#core/batch/tree.ts'

type Hash = Pick<Primitives, 'sha256'>

/** A gateway's place under a super-root, which it keeps: with the root, all that proves its head. */
export interface SuperRootPath {
  readonly signed: SignedGatewayHead
  readonly index: number
  /** From the leaf upwards. */
  readonly path: readonly Uint8Array[]
}

/** What an aggregator anchors, and hands back to its gateways in the order of their ids. */
export interface SuperRoot {
  readonly root: Uint8Array
  readonly count: number
  readonly paths: readonly SuperRootPath[]
}

/**
 * Builds the tree over the heads of an epoch, in the order of the gateways' ids, one head a gateway.
 *
 * The aggregator has checked the signatures; whoever reads a path checks them again.
 *
 * @throws SalusError `SUPER_ROOT_EMPTY` without heads; `SUPER_ROOT_DUPLICATE` if a gateway has two; `GATEWAY_HEAD_*` if one is
 * malformed
 */
export function buildSuperRoot(p: Hash, heads: readonly SignedGatewayHead[]): SuperRoot {
  if (heads.length === 0) throw new SalusError('SUPER_ROOT_EMPTY', 'There is no head to anchor.')
  const sorted = heads
    .map(signed => ({ signed, gateway: toHex(decodeGatewayHead(signed.bytes).gateway) }))
    .sort((a, b) => (a.gateway < b.gateway ? -1 : 1))
  const tree = createTree()
  for (const [i, { signed, gateway }] of sorted.entries()) {
    if (sorted[i - 1]?.gateway === gateway) {
      throw new SalusError('SUPER_ROOT_DUPLICATE', 'Refused: a gateway has two heads in one epoch; take the later one.')
    }
    appendLeaf(p, tree, leafHash(p, signed.bytes))
  }
  const count = sorted.length
  return {
    root: rangeRoot(p, rangeOf(tree)),
    count,
    paths: sorted.map(({ signed }, index) => ({ signed, index, path: inclusionProof(p, tree, index) }))
  }
}

/** What a super-root's event says, or whoever else is trusted. */
export interface AnchoredSuperRoot {
  readonly root: Uint8Array
  readonly count: number
}

/**
 * Checks a gateway's path offline, and gives its head.
 *
 * @param signKey - the gateway's Ed25519 key, from its key bundle
 * @throws SalusError `GATEWAY_HEAD_*` if the head is malformed; `SUPER_ROOT_SIGNATURE` if the gateway did not sign it;
 * `SUPER_ROOT_INCLUSION` if it does not lead to the root
 */
export function verifySuperRootPath(
  p: Primitives,
  { signed, index, path }: SuperRootPath,
  { root, count }: AnchoredSuperRoot,
  signKey: Uint8Array
): GatewayHead {
  const head = decodeGatewayHead(signed.bytes)
  requireThat(verifyGatewayHead(p, signed, signKey), 'SUPER_ROOT_SIGNATURE', 'the gateway did not sign this head')
  const leaf = leafHash(p, signed.bytes)
  requireThat(
    verifyInclusion(p, { leaf, index, size: count, path, root }),
    'SUPER_ROOT_INCLUSION',
    'the head does not lie under the super-root'
  )
  return head
}

function requireThat(holds: boolean, code: string, why: string): asserts holds {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
