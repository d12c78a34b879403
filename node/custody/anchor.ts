/** Puts the head of the log of receipts on the chain, as a gateway's (docs/specs/receipts.md). */
import { Wallet } from 'ethers'
import { anchorCall, gatewayRegistrationCall, type AnchorSigner } from '#core/batch/anchor-calls.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { gatewayIdOf } from '#core/proof/keccak.ts'
import type { Relayer } from '#node/chain/relayer.ts'
import type { ReceiptLog } from '#node/custody/receipt-log.ts'

/** What anchoring needs. */
export interface AnchorComponents {
  readonly clock: Clock
  readonly deployment: Deployment
  readonly chain: () => ChainView
  readonly relayer: Pick<Relayer, 'submit'>
  readonly receipts: ReceiptLog
  /** Its wallet holds no money; its id is the log's. */
  readonly anchorer: AnchorSigner
  readonly keys: Pick<AgentKeys, 'bundleBytes'>
}

const DEADLINE_S = 3600

/** The anchorer of a node, derived from the seed of its peer key. */
export function deriveLogAnchorer(p: Primitives, peerSeed: Uint8Array): AnchorSigner {
  const derive = (name: string): Uint8Array => p.hkdfSha256(peerSeed, utf8('salus/receipt-log/1'), utf8(name), 32)
  const wallet = new Wallet(toHex(derive('wallet')))
  const signer = fromHex(wallet.address, 20)
  const signerSalt = derive('id')
  return { wallet, signer, signerSalt, id: gatewayIdOf(signer, signerSalt) }
}

/**
 * Anchors the log if it grew since it was last anchored; registers it first where it is not.
 *
 * @returns whether there was something to anchor
 * @throws SalusError as {@link Relayer.submit}
 */
export async function anchorReceipts(components: AnchorComponents): Promise<boolean> {
  const { receipts, anchorer, keys, chain, relayer, deployment } = components
  const anchored = chain().gateway(toHex(anchorer.id))
  const treeSize = receipts.size()
  if (treeSize <= (anchored?.treeSize ?? 0)) return false
  const deadlineS = Math.floor(components.clock() / 1000) + DEADLINE_S
  if (anchored == null) {
    const certificate = keyBundleDigest(keys.bundleBytes)
    await relayer.submit(await gatewayRegistrationCall(deployment, anchorer, certificate, deadlineS))
  }
  const head = { sequence: (anchored?.sequence ?? 0) + 1, treeSize, root: receipts.root() }
  await relayer.submit(await anchorCall(deployment, anchorer, head, deadlineS))
  return true
}
