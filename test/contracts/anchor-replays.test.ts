import { id } from 'ethers'
import {
  anchorTypes,
  gatewayRegistrationTypes,
  gatewayRetirementTypes,
  gatewayRotationTypes,
  superRootTypes
} from '#core/abi/typed-data/anchors.ts'
import { NEW_CERTIFICATE } from '#test/contracts/anchor-requests.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { describeReplays, type Replayable } from '#test/contracts/replays.ts'
import { BUNDLE, idOf, registerGateway, type Sent } from '#test/contracts/requests.ts'

const [key, next] = [accountKey('gateway'), accountKey('next gateway')]
const gateway = idOf(key.signer, id('salt'))
const root = id('root')
const common = {
  contract: 'BatchAnchors',
  key,
  contractOf: contracts => contracts.anchors
} as const satisfies Partial<Replayable>
const rotation = { gateway, newSigner: next.signer, certificate: NEW_CERTIFICATE }

async function registered(chain: TestChain, value: Record<string, unknown>): Promise<Record<string, unknown>> {
  await registerGateway(chain, key)
  return value
}

/** Hands the gateway on with one of the two signatures as it should be, and the other as given. */
async function rotate(chain: TestChain, deadline: number, given: { old?: string; new?: string }): Sent {
  const sign = async (by: typeof key): Promise<string> =>
    by.sign(chain.domainOf('BatchAnchors'), gatewayRotationTypes, { ...rotation, deadline })
  const [old, fresh] = [given.old ?? (await sign(key)), given.new ?? (await sign(next))]
  const { newSigner, certificate } = rotation
  return chain.contracts.anchors.rotate(gateway, newSigner, certificate, deadline, key.signer, old, fresh)
}

const REQUESTS: readonly Replayable[] = [
  {
    ...common,
    name: 'register',
    types: gatewayRegistrationTypes,
    onceMore: 'GatewayAlreadyRegistered',
    prepare: () => Promise.resolve({ gateway, signer: key.signer, certificate: BUNDLE }),
    submit: async ({ contracts: { anchors } }, deadline, signature) =>
      anchors.register(key.signer, BUNDLE, id('salt'), deadline, signature)
  },
  {
    ...common,
    name: 'rotate, by the present signer',
    types: gatewayRotationTypes,
    onceMore: 'GatewayEnded',
    prepare: chain => registered(chain, rotation),
    submit: (chain, deadline, signature) => rotate(chain, deadline, { old: signature })
  },
  {
    ...common,
    name: 'rotate, by the new signer',
    key: next,
    types: gatewayRotationTypes,
    onceMore: 'GatewayEnded',
    prepare: chain => registered(chain, rotation),
    submit: (chain, deadline, signature) => rotate(chain, deadline, { new: signature })
  },
  {
    ...common,
    name: 'retire',
    types: gatewayRetirementTypes,
    onceMore: 'GatewayEnded',
    prepare: chain => registered(chain, { gateway }),
    submit: async ({ contracts: { anchors } }, deadline, signature) =>
      anchors.retire(gateway, deadline, key.signer, signature)
  },
  {
    ...common,
    name: 'anchor',
    types: anchorTypes,
    onceMore: 'AnchorOutOfSequence',
    prepare: chain => registered(chain, { gateway, sequence: 1, treeSize: 8, root }),
    submit: async ({ contracts: { anchors } }, deadline, signature) =>
      anchors.anchor(gateway, 1, 8, root, deadline, key.signer, signature)
  },
  {
    ...common,
    name: 'anchorGateways',
    types: superRootTypes,
    onceMore: 'SuperRootOutOfEpoch',
    prepare: () => Promise.resolve({ aggregator: key.signer, epoch: 1, count: 1000, root }),
    submit: async ({ contracts: { anchors } }, deadline, signature) =>
      anchors.anchorGateways(1, 1000, root, deadline, key.signer, signature)
  }
]

describe('replay of the requests about anchors', () => {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  afterEach(() => chain.reset())
  after(() => chain.close())

  for (const request of REQUESTS) describeReplays(() => chain, request)
})
