/** Makes the proof bundle of a reading from the batches that the gateway keeps and the chain's receipts. */
import type { Deployment } from '#core/chain/deployment.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { batchTree, decodeBatch, extendTree } from '#core/batch/batch.ts'
import { makeBundle } from '#core/batch/bundle.ts'
import { makeTlogProof } from '#core/batch/gateway-log.ts'
import type { RpcSender } from '#node/chain/chain-rpc.ts'
import { fetchAnchor } from '#gateway/anchor-proof.ts'
import { findBatch, type BatchFiles } from '#gateway/batch-files.ts'
import { checkpointAt } from '#gateway/witness-client.ts'
import { chainPlaceOf, type GatewayIdentity } from '#gateway/identity.ts'

/**
 * The proof file of the leaf at `index` of the gateway's tree: under the first cosigned checkpoint that holds it, or where no witness cosigned
 * one, under one that the gateway signs now.
 *
 * @throws SalusError `GATEWAY_BATCH_GONE` if its batch, or one up to the checkpoint, is not kept any more; `BUNDLE_POSITION` if the leaf opens
 * a batch
 */
export async function proveToWitnesses(
  { p, identity, files }: Pick<ProveComponents, 'p' | 'identity' | 'files'>,
  index: number
): Promise<string> {
  const signKey = identity.keys.bundle.sign
  const batch = await findBatch(p, files, signKey, index)
  const { header } = batch
  if (index === header.treeFrom) throw new SalusError('BUNDLE_POSITION', 'This leaf opens a batch; name one after it.')
  const cosigned = await files.checkpointFrom(header.treeTo)
  const checkpoint = cosigned ?? { size: header.treeTo, note: checkpointAt(p, identity, header) }
  const tree = batchTree(p, batch)
  for (let next = header.sequence + 1; tree.size < checkpoint.size; next++) {
    extendTree(p, tree, decodeBatch(p, await files.readBatch(next), signKey))
  }
  return makeTlogProof(p, tree, batch, index - header.treeFrom - 1, checkpoint)
}

/** What proving needs. */
export interface ProveComponents {
  readonly p: Primitives
  readonly rpc: RpcSender
  readonly deployment: Deployment
  readonly identity: GatewayIdentity
  readonly files: BatchFiles
  readonly evidence: Uint8Array
}

/**
 * The bundle of the reading at `index` of the gateway's tree.
 *
 * @throws SalusError `GATEWAY_BATCH_GONE` if its batch is not kept any more, `BUNDLE_POSITION` if the leaf opens a batch and is no
 * reading, `PROOF_NO_ANCHOR` if it is not anchored yet
 */
export async function proveReading(
  { p, rpc, deployment, identity, files, evidence }: ProveComponents,
  index: number
): Promise<Uint8Array> {
  const signKey = identity.keys.bundle.sign
  const batch = await findBatch(p, files, signKey, index)
  const { header } = batch
  if (index === header.treeFrom) throw new SalusError('BUNDLE_POSITION', 'This leaf opens a batch; name one after it.')
  const { anchored, proof } = await fetchAnchor(rpc, deployment, identity.id, header.treeTo)
  const tree = batchTree(p, batch)
  for (let next = header.sequence + 1; tree.size < anchored.treeSize; next++) {
    extendTree(p, tree, decodeBatch(p, await files.readBatch(next), signKey))
  }
  return makeBundle(p, tree, batch, index - header.treeFrom - 1, {
    evidence,
    chain: chainPlaceOf(deployment),
    anchor: proof,
    anchoredSize: anchored.treeSize
  })
}
