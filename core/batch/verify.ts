/** Checks a proof bundle offline: from one reading to a block of the chain (docs/specs/bundle.md). No network code. */
import type { Primitives } from '#core/crypto/primitives.ts'
import { equalBytes } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeEvidence, type Evidence } from '#core/identity/evidence.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { readAnchored, type Anchored } from '#core/proof/anchored.ts'
import { readBlockHeader, type BlockFacts } from '#core/proof/block.ts'
import { gatewayIdOf, networkIdOf } from '#core/proof/keccak.ts'
import { bindingSigner } from '#core/proof/key-binding.ts'
import { readReceipt } from '#core/proof/receipt.ts'
import { readSuperRooted, type SuperRooted } from '#core/proof/super-rooted.ts'
import { decodeBundle, type Bundle } from '#core/batch/bundle.ts'
import { decodeHeader, verifyHeader, type BatchHeader } from '#core/batch/header.ts'
import { readingLeaf } from '#core/batch/leaf.ts'
import { verifyConsistency, verifyInclusion } from '#core/batch/merkle.ts'
import { decodeReading, type Reading } from '#core/batch/reading.ts'
import { verifySuperRootPath } from '#core/batch/super-root.ts'

/** What the verifier already knows from elsewhere; what is left out is reported, not compared. */
export interface ExpectedBundle {
  /** Hash of the block, from a source that the verifier trusts. Without it the chain's word is only the bundle's. */
  readonly blockHash?: Uint8Array
  readonly network?: Uint8Array
  readonly gateway?: Uint8Array
  readonly patient?: Uint8Array
  /** Address of the contract that keeps anchors, 20 bytes. Anyone can deploy another that says anything. */
  readonly batchAnchors?: Uint8Array
  readonly chainId?: number
}

/** How far the gateway's clock may be ahead of the block that holds its anchor. */
const MAX_AHEAD_MS = 5 * 60_000

/** What a bundle proves. */
export interface VerifiedReading {
  readonly reading: Reading
  /** Index of the reading in the gateway's tree. */
  readonly index: number
  readonly header: BatchHeader
  /** The anchor; its sequence counts the gateway's own anchors, or its heads under super-roots. */
  readonly anchored: Anchored
  /** The super-root that it lies under; null for an anchor of the gateway's own. */
  readonly superRoot: SuperRooted | null
  readonly block: BlockFacts
  readonly chainId: number
  readonly batchAnchors: Uint8Array
  /** Whether the block's hash was compared with one that the verifier trusts. */
  readonly blockConfirmed: boolean
  /** Whether the contract's address was compared with one that the verifier trusts. */
  readonly contractConfirmed: boolean
}

/**
 * Checks a bundle whole, cheap checks first.
 *
 * @throws SalusError `BUNDLE_*` of the decoder; `BUNDLE_READING`, `BUNDLE_HEADER`, `BUNDLE_EVIDENCE` (a part is malformed, the
 * cause says how); `BUNDLE_NETWORK`, `BUNDLE_PATIENT`, `BUNDLE_GATEWAY` (of another network, patient or gateway than expected);
 * `BUNDLE_CHAIN`, `BUNDLE_CONTRACT` (anchored on another chain or by another contract than expected);
 * `BUNDLE_INDEX`, `BUNDLE_INCLUSION` (the reading is not in the batch); `BUNDLE_BLOCK`, `BUNDLE_BLOCK_UNTRUSTED` (not the
 * block that the verifier trusts); `BUNDLE_RECEIPT`, `BUNDLE_EVENT` (the block holds no such anchor);
 * `BUNDLE_CONSISTENCY` (the batch is not in the anchored tree); `BUNDLE_CERTIFICATE`, `BUNDLE_SIGNATURE`,
 * `BUNDLE_SUPER_ROOT` (its head does not lie under the super-root); `BUNDLE_BINDING`, `BUNDLE_BINDING_EXPIRED` (not signed by that gateway); `BUNDLE_TIME` (later than the block it is anchored in)
 */
export async function verifyBundle(
  p: Primitives,
  bytes: Uint8Array,
  expected: ExpectedBundle = {}
): Promise<VerifiedReading> {
  const bundle = decodeBundle(bytes)
  const header = within('BUNDLE_HEADER', () => decodeHeader(bundle.signed.bytes))
  const reading = within('BUNDLE_READING', () => decodeReading(bundle.reading))
  requirePlace(bundle, header, expected)
  const evidence = requireCertificate(bundle, header)
  const block = requireBlock(bundle, expected)
  requireInclusion(p, bundle, header)
  const { anchored, superRoot } = await requireAnchor(p, bundle, header, evidence, block)
  requireConsistency(p, bundle, header, anchored)
  requireTime(header, block)
  requireAuthor(p, bundle, header, evidence, block)
  return {
    reading,
    index: bundle.index,
    header,
    anchored,
    superRoot,
    block,
    chainId: bundle.chain.chainId,
    batchAnchors: bundle.chain.batchAnchors,
    blockConfirmed: expected.blockHash != null,
    contractConfirmed: expected.batchAnchors != null
  }
}

function requirePlace({ chain }: Bundle, header: BatchHeader, expected: ExpectedBundle): void {
  requireThat(
    equalBytes(networkIdOf(chain.chainId, chain.accessGrants), header.network) &&
      (expected.network == null || equalBytes(expected.network, header.network)),
    'BUNDLE_NETWORK',
    'it belongs to another network (chain or deployment)'
  )
  requireThat(
    expected.patient == null || equalBytes(expected.patient, header.patient),
    'BUNDLE_PATIENT',
    'the reading is of another patient'
  )
  requireThat(
    expected.gateway == null || equalBytes(expected.gateway, header.gateway),
    'BUNDLE_GATEWAY',
    'it is of another gateway'
  )
  requireThat(
    expected.chainId == null || expected.chainId === chain.chainId,
    'BUNDLE_CHAIN',
    'it is anchored on another chain'
  )
  requireThat(
    expected.batchAnchors == null || equalBytes(expected.batchAnchors, chain.batchAnchors),
    'BUNDLE_CONTRACT',
    'it is anchored by another contract than the one that you trust'
  )
}

function requireBlock({ anchor }: Bundle, { blockHash }: ExpectedBundle): BlockFacts {
  const block = readBlockHeader(anchor.block)
  requireThat(
    block != null && equalBytes(block.hash, anchor.blockHash),
    'BUNDLE_BLOCK',
    'the block header does not have the hash that the bundle names'
  )
  requireThat(
    blockHash == null || equalBytes(blockHash, block.hash),
    'BUNDLE_BLOCK_UNTRUSTED',
    'its block is not the one with the given hash'
  )
  return block
}

function requireInclusion(p: Primitives, { index, inclusion, reading, salt }: Bundle, header: BatchHeader): void {
  requireThat(
    index > header.treeFrom && index < header.treeTo,
    'BUNDLE_INDEX',
    'the reading does not lie within the batch'
  )
  const leaf = readingLeaf(p, reading, salt)
  requireThat(
    verifyInclusion(p, { leaf, index, size: header.treeTo, path: inclusion, root: header.root }),
    'BUNDLE_INCLUSION',
    'the reading is not the one in the batch: it was changed, exchanged or moved'
  )
}

/** The gateway's tree as the chain has it: by an anchor of its own, or by a head that it signed, under a super-root. */
async function requireAnchor(
  p: Primitives,
  { anchor, chain, superRoot }: Bundle,
  header: BatchHeader,
  { bundle }: Evidence,
  block: BlockFacts
): Promise<{ readonly anchored: Anchored; readonly superRoot: SuperRooted | null }> {
  const logs = await readReceipt(block.receiptsRoot, anchor.transaction, anchor.receipt)
  requireThat(logs != null, 'BUNDLE_RECEIPT', 'the receipt is not one of the block')
  const log = logs[anchor.log]
  if (superRoot == null) {
    const anchored = log == null ? undefined : readAnchored(log, chain.batchAnchors)
    requireOfGateway(anchored, header)
    return { anchored, superRoot: null }
  }
  const rooted = log == null ? undefined : readSuperRooted(log, chain.batchAnchors)
  requireThat(rooted != null, 'BUNDLE_EVENT', 'the receipt holds no super-root by this contract')
  const { sign } = within('BUNDLE_EVIDENCE', () => decodeKeyBundle(bundle))
  const head = within('BUNDLE_SUPER_ROOT', () => verifySuperRootPath(p, superRoot, rooted, sign))
  requireThat(equalBytes(head.network, header.network), 'BUNDLE_NETWORK', 'it belongs to another network')
  requireOfGateway(head, header)
  return { anchored: head, superRoot: rooted }
}

function requireOfGateway<T extends { readonly gateway: Uint8Array }>(
  anchored: T | undefined,
  { gateway }: BatchHeader
): asserts anchored is T {
  requireThat(
    anchored != null && equalBytes(anchored.gateway, gateway),
    'BUNDLE_EVENT',
    'the receipt holds no anchor of this gateway by this contract'
  )
}

function requireConsistency(p: Primitives, { consistency }: Bundle, header: BatchHeader, anchored: Anchored): void {
  const claim = {
    firstSize: header.treeTo,
    firstRoot: header.root,
    size: anchored.treeSize,
    root: anchored.root,
    path: consistency
  }
  requireThat(verifyConsistency(p, claim), 'BUNDLE_CONSISTENCY', 'the batch is not part of the anchored tree')
}

/** The evidence that the header names; who signed is checked later. */
function requireCertificate(bundle: Bundle, header: BatchHeader): Evidence {
  const evidence = within('BUNDLE_EVIDENCE', () => decodeEvidence(bundle.evidence))
  requireThat(
    equalBytes(keyBundleDigest(evidence.bundle), header.certificate),
    'BUNDLE_CERTIFICATE',
    'the key bundle is not the one that the batch names'
  )
  return evidence
}

/** The gateway chooses the times in its header, but not that of the block: what is anchored was taken in before. */
function requireTime({ toMs }: BatchHeader, { timeS }: BlockFacts): void {
  requireThat(toMs <= timeS * 1000 + MAX_AHEAD_MS, 'BUNDLE_TIME', 'the batch is later than the block it is anchored in')
}

/** The bundle's key signed the header, and the address that the gateway's id is made of signed the bundle. */
function requireAuthor(
  p: Primitives,
  { chain, signed }: Bundle,
  header: BatchHeader,
  { bundle, binding }: Evidence,
  { timeS }: BlockFacts
): void {
  const { sign } = within('BUNDLE_EVIDENCE', () => decodeKeyBundle(bundle))
  requireThat(verifyHeader(p, signed, sign), 'BUNDLE_SIGNATURE', 'the batch is not signed by the gateway')
  requireThat(binding != null, 'BUNDLE_BINDING', 'nothing ties the gateway’s key to its address')
  const { notAfter, signature } = binding
  requireThat(
    notAfter * 1000 >= header.toMs && notAfter >= timeS,
    'BUNDLE_BINDING_EXPIRED',
    'the batch, or its anchor, is later than the gateway’s statement about its key'
  )
  const { chainId, accessGrants } = chain
  const address = bindingSigner({ chainId, accessGrants, bundleDigest: header.certificate, notAfter }, signature)
  requireThat(
    address != null && equalBytes(gatewayIdOf(address, header.signerSalt), header.gateway),
    'BUNDLE_BINDING',
    'the address that the gateway is named after did not sign its key'
  )
}

/** Runs the decoder of a part; its refusal becomes one of the bundle, with the decoder's own as the cause. */
function within<T>(code: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    if (!isSalusError(cause)) throw cause
    throw new SalusError(code, `Refused: a part of the bundle is damaged (${cause.code}).`, { cause })
  }
}

function requireThat(holds: boolean, code: string, why: string): asserts holds {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
