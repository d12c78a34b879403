/** Puts the head of the log of receipts on the chain, as a gateway's (docs/specs/receipts.md). */
import { Wallet } from 'ethers'
import { anchorTypes, gatewayRegistrationTypes } from '#core/abi/typed-data/anchors.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { ChainView } from '#core/chain/view.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { fromHex, toHex, utf8 } from '#core/encoding/bytes.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { gatewayIdOf } from '#core/proof/keccak.ts'
import type { Relayer } from '#node/chain/relayer.ts'
import type { ReceiptLog } from '#node/custody/receipt-log.ts'

/** Who signs a log's anchors. */
export interface LogAnchorer {
  /** Holds no money. */
  readonly wallet: Wallet
  readonly salt: Uint8Array
  /** Id of the log on the chain, 32 bytes. */
  readonly id: Uint8Array
}

/** What anchoring needs. */
export interface AnchorComponents {
  readonly clock: Clock
  readonly deployment: Deployment
  readonly chain: () => ChainView
  readonly relayer: Pick<Relayer, 'submit'>
  readonly receipts: ReceiptLog
  readonly anchorer: LogAnchorer
  readonly keys: Pick<AgentKeys, 'bundleBytes'>
}

const DEADLINE_S = 3600

/** The anchorer of a node, derived from the seed of its peer key. */
export function deriveLogAnchorer(p: Primitives, peerSeed: Uint8Array): LogAnchorer {
  const derive = (name: string): Uint8Array => p.hkdfSha256(peerSeed, utf8('salus/receipt-log/1'), utf8(name), 32)
  const wallet = new Wallet(toHex(derive('wallet')))
  const salt = derive('id')
  return { wallet, salt, id: gatewayIdOf(fromHex(wallet.address, 20), salt) }
}

/**
 * Anchors the log if it grew since it was last anchored; registers it first where it is not.
 *
 * @returns whether there was something to anchor
 * @throws SalusError as {@link Relayer.submit}
 */
export async function anchorReceipts(components: AnchorComponents): Promise<boolean> {
  const { receipts, anchorer, keys, chain, relayer } = components
  const gateway = toHex(anchorer.id)
  const signer = anchorer.wallet.address
  const anchored = chain().gateway(gateway)
  const treeSize = receipts.size()
  if (treeSize <= (anchored?.treeSize ?? 0)) return false
  const deadline = Math.floor(components.clock() / 1000) + DEADLINE_S
  if (anchored == null) {
    const certificate = toHex(keyBundleDigest(keys.bundleBytes))
    const value = { gateway, signer, certificate, deadline }
    const signature = await sign(components, gatewayRegistrationTypes, value)
    const args = [signer, certificate, toHex(anchorer.salt), deadline, signature]
    await relayer.submit({ contract: 'BatchAnchors', method: 'register', args })
  }
  const sequence = (anchored?.sequence ?? 0) + 1
  const value = { gateway, sequence, treeSize, root: toHex(receipts.root()), deadline }
  const signature = await sign(components, anchorTypes, value)
  const args = [gateway, sequence, treeSize, value.root, deadline, signer, signature]
  await relayer.submit({ contract: 'BatchAnchors', method: 'anchor', args })
  return true
}

async function sign(
  { anchorer, deployment }: AnchorComponents,
  types: typeof anchorTypes,
  value: Record<string, unknown>
): Promise<string> {
  const { address } = deployment.contracts.BatchAnchors
  return anchorer.wallet.signTypedData(domain('BatchAnchors', deployment.chainId, address), types, value)
}
