import { nodeListingTypes, nodePledgeTypes, nodeRetirementTypes } from '#core/abi/typed-data/nodes.ts'
import type { INodeRegistry } from '#core/abi/types/NodeRegistry.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import { describeReplays, type Replayable } from '#test/contracts/replays.ts'

const key = accountKey('hospital')
const peer = peerOf('peer')
const common = {
  contract: 'NodeRegistry',
  key,
  contractOf: contracts => contracts.nodes
} as const satisfies Partial<Replayable>

describe('replay of the requests about nodes', () => {
  let chain: TestChain
  let organisation: string
  let listing: INodeRegistry.ListingStruct
  before(async () => {
    chain = await openChain()
    ;({ organisation } = openOperator(chain, key))
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  async function listed(value: Record<string, unknown>): Promise<Record<string, unknown>> {
    const operator = openOperator(chain, key)
    await operator.accredit()
    await operator.list(peer)
    return { organisation, node: peer.node, ...value }
  }

  describeReplays(() => chain, {
    ...common,
    name: 'list',
    types: nodeListingTypes,
    onceMore: 'NodeRevisionOutOfSequence',
    async prepare() {
      const operator = openOperator(chain, key)
      await operator.accredit()
      listing = await operator.listing(peer)
      return { ...listing }
    },
    submit: async ({ contracts: { nodes } }, deadline, signature) =>
      nodes.list({ ...listing, deadline }, key.signer, signature)
  })

  describeReplays(() => chain, {
    ...common,
    name: 'changePledge',
    types: nodePledgeTypes,
    onceMore: 'NodeRevisionOutOfSequence',
    prepare: () => listed({ pledgedBytes: 7, revision: 2 }),
    submit: async ({ contracts: { nodes } }, deadline, signature) =>
      nodes.changePledge(organisation, peer.node, 7, 2, deadline, key.signer, signature)
  })

  describeReplays(() => chain, {
    ...common,
    name: 'retire',
    types: nodeRetirementTypes,
    onceMore: 'NodeIsRetired',
    prepare: () => listed({}),
    submit: async ({ contracts: { nodes } }, deadline, signature) =>
      nodes.retire(organisation, peer.node, deadline, key.signer, signature)
  })
})
