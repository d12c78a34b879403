import { expect } from 'chai'
import { id, makeError, type Filter, type Log, type Provider } from 'ethers'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import type { RefusedRequest } from '#node/chain/applied-check.ts'
import { NEW_CERTIFICATE, anchorGateways, retireGateway, rotateGateway } from '#test/contracts/anchor-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import { BUNDLE, anchor, idOf, registerGateway } from '#test/contracts/requests.ts'

describe('requests about anchors and nodes that were applied before', () => {
  const [key, next] = [accountKey('gateway'), accountKey('next gateway')]
  const gateway = idOf(key.signer, id('salt'))
  const root = id('root')
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(() => registerGateway(chain, key))
  afterEach(() => chain.reset())
  after(() => chain.close())

  type Refused = Omit<RefusedRequest, 'contract'>
  const applied = async (
    contract: RefusedRequest['contract'],
    request: Refused,
    provider = chain.provider
  ): Promise<boolean> => isAlreadyApplied({ provider, deployment: chain.deployment }, { contract, ...request })

  /** The same chain through an endpoint that gives the logs of one block at a time. */
  const inSmallPages = (provider: Provider): Provider =>
    new Proxy(provider, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (name !== 'getLogs') return typeof value === 'function' ? (value.bind(target) as unknown) : value
        return async (filter: Filter): Promise<Log[]> => {
          if (filter.fromBlock !== filter.toBlock) throw makeError('the range is too wide', 'UNKNOWN_ERROR')
          return target.getLogs(filter)
        }
      }
    })

  /** Asks with the true arguments, and with each of some others. */
  async function expectOnly(
    contract: RefusedRequest['contract'],
    request: Refused,
    ...others: readonly (readonly unknown[])[]
  ): Promise<void> {
    expect(await applied(contract, request), request.method).to.equal(true)
    for (const args of others) expect(await applied(contract, { ...request, args }), String(args)).to.equal(false)
  }

  it('are known by what they did to a gateway', async () => {
    await expectOnly(
      'BatchAnchors',
      {
        method: 'register',
        args: [key.signer, BUNDLE],
        errorName: 'GatewayAlreadyRegistered',
        errorArgs: [gateway]
      },
      [key.signer, NEW_CERTIFICATE]
    )
    await anchor(chain, key, { gateway, sequence: 1, treeSize: 8, root })
    await expectOnly(
      'BatchAnchors',
      { method: 'anchor', args: [gateway, 1n, 8n, root], errorName: 'AnchorOutOfSequence', errorArgs: [gateway] },
      [gateway, 1n, 9n, root],
      [gateway, 1n, 8n, id('other')],
      [gateway, 2n, 8n, root]
    )
    await rotateGateway(chain, [key, next], gateway)
    const ended = { errorName: 'GatewayEnded', errorArgs: [gateway, key.id] }
    const retirement = { method: 'retire', args: [gateway], ...ended }
    expect(await applied('BatchAnchors', retirement)).to.equal(false)
    await retireGateway(chain, next, gateway)
    await expectOnly('BatchAnchors', retirement, [id('other')])
    await expectOnly(
      'BatchAnchors',
      { method: 'rotate', args: [gateway, next.signer, NEW_CERTIFICATE], ...ended },
      [gateway, key.signer, NEW_CERTIFICATE],
      [gateway, next.signer, BUNDLE],
      [id('other'), next.signer, NEW_CERTIFICATE]
    )
  })

  it('are known by the super-root of an epoch', async () => {
    await anchorGateways(chain, key, { epoch: 1, count: 1000, root })
    const refusal = { errorName: 'SuperRootOutOfEpoch', errorArgs: [key.id, 2n, 1n] }
    await expectOnly(
      'BatchAnchors',
      { method: 'anchorGateways', args: [1n, 1000n, root], ...refusal },
      [1n, 999n, root],
      [1n, 1000n, id('other')],
      [2n, 1000n, root]
    )
    const stranger = { errorName: 'SuperRootOutOfEpoch', errorArgs: [next.id, 2n, 1n] }
    const request = { method: 'anchorGateways', args: [1n, 1000n, root], ...stranger }
    expect(await applied('BatchAnchors', request)).to.equal(false)
  })

  it('are known by the revision of a listing', async () => {
    const operator = openOperator(chain, accountKey('hospital'))
    const peer = peerOf('peer')
    await operator.accredit()
    const { organisation, peerKey, pledgedBytes, validUntil } = await operator.listing(peer)
    await operator.list(peer, { validUntil })
    await operator.changePledge(peer, 5, 2)
    const listing = (pledged: bigint, revision: bigint): unknown[] => [
      [organisation, peerKey, pledged, BigInt(validUntil), revision]
    ]
    const refusal = { errorName: 'NodeRevisionOutOfSequence', errorArgs: [peer.node] }
    const pledged = BigInt(pledgedBytes)
    await expectOnly(
      'NodeRegistry',
      { method: 'list', args: listing(pledged, 1n), ...refusal },
      listing(pledged, 2n),
      listing(pledged + 1n, 1n)
    )
    await expectOnly(
      'NodeRegistry',
      { method: 'changePledge', args: [organisation, peer.node, 5n, 2n], ...refusal },
      [organisation, peer.node, 6n, 2n],
      [organisation, peer.node, 5n, 1n]
    )
    await operator.changePledge(peer, 7, 3)
    const earlier = { method: 'changePledge', args: [organisation, peer.node, 5n, 2n], ...refusal }
    expect(await applied('NodeRegistry', earlier)).to.equal(true)
    expect(await applied('NodeRegistry', earlier, inSmallPages(chain.provider)), 'behind a later one').to.equal(true)
    await operator.retire(peer)
    const retired = { errorName: 'NodeIsRetired', errorArgs: [peer.node] }
    await expectOnly('NodeRegistry', { method: 'retire', args: [organisation, peer.node], ...retired })
  })
})
