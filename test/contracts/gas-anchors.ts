import { id } from 'ethers'
import {
  anchorByAccount,
  anchorGateways,
  anchorGatewaysByAccount,
  retireGateway,
  rotateGateway
} from '#test/contracts/anchor-requests.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import { anchor, idOf, registerGateway, type Sent } from '#test/contracts/requests.ts'

/** Measures the calls of BatchAnchors. The numbers are as large as after years, so that no zero byte makes them cheap. */
export async function measureAnchors(
  chain: TestChain,
  measure: (name: string, sent: Sent) => Promise<void>
): Promise<void> {
  const [key, next, wallet] = [accountKey('gateway'), accountKey('next gateway'), walletOf('gateway')]
  const gateway = idOf(key.signer, id('salt'))
  const root = id('root')
  const terms = (sequence: number): Parameters<typeof anchor>[2] => ({
    gateway,
    sequence,
    treeSize: 0x1234567890 + sequence,
    root
  })
  await measure('BatchAnchors.register', registerGateway(chain, key))
  await measure('BatchAnchors.anchor, first', anchor(chain, key, terms(1)))
  await measure('BatchAnchors.anchor, later', anchor(chain, key, terms(2)))
  await measure('BatchAnchors.anchorByAccount, later', anchorByAccount(chain, wallet, terms(3)))
  const superRoot = (epoch: number): { epoch: number; count: number; root: string } => ({ epoch, count: 1000, root })
  await measure('BatchAnchors.anchorGateways, 1,000 gateways, first', anchorGateways(chain, key, superRoot(1)))
  await measure('BatchAnchors.anchorGateways, 1,000 gateways, later', anchorGateways(chain, key, superRoot(2)))
  await measure(
    'BatchAnchors.anchorGatewaysByAccount, 1,000 gateways, later',
    anchorGatewaysByAccount(chain, wallet, superRoot(3))
  )
  await measure('BatchAnchors.rotate', rotateGateway(chain, [key, next], gateway))
  await measure('BatchAnchors.retire', retireGateway(chain, next, gateway))
}

/** Measures the calls of NodeRegistry. */
export async function measureNodes(
  chain: TestChain,
  measure: (name: string, sent: Sent) => Promise<void>
): Promise<void> {
  const [operator, peer] = [openOperator(chain, accountKey('hospital')), peerOf('peer')]
  await (await operator.accredit()).wait()
  await measure('NodeRegistry.list, first', operator.list(peer))
  await measure('NodeRegistry.list, renewed', operator.list(peer, { revision: 2 }))
  await measure('NodeRegistry.changePledge', operator.changePledge(peer, 2 ** 41, 3))
  await measure('NodeRegistry.retire', operator.retire(peer))
}
