import type { TestChain } from '#test/contracts/chain.ts'
import { measureAnchors } from '#test/contracts/gas-anchors.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'

/** Gateways and peers, whose keys are no person's. */
export async function runNetwork(chain: TestChain): Promise<void> {
  await measureAnchors(chain, async (_name, sent) => {
    await (await sent).wait()
  })
  const [operator, peer] = [openOperator(chain, accountKey('operator')), peerOf('peer')]
  await operator.accredit()
  await operator.list(peer)
  await operator.changePledge(peer, 2 ** 41, 2)
  await operator.retire(peer)
}
