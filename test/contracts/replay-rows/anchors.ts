import { id } from 'ethers'
import * as anchors from '#core/abi/typed-data/anchors.ts'
import * as nodes from '#core/abi/typed-data/nodes.ts'
import { anchorGateways, retireGateway, rotateGateway } from '#test/contracts/anchor-requests.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { openOperator, peerOf } from '#test/contracts/node-requests.ts'
import type { Row } from '#test/contracts/replay-matrix.ts'
import { anchor, idOf, registerGateway } from '#test/contracts/requests.ts'

const [key, next, hospital] = [accountKey('gateway'), accountKey('next gateway'), accountKey('hospital')]
const gateway = idOf(key.signer, id('salt'))
const peer = peerOf('peer')
const common = { contract: 'BatchAnchors', key, prepare: (chain: TestChain) => registerGateway(chain, key) } as const
let real: TestChain
const ofNodes = {
  contract: 'NodeRegistry',
  key: hospital,
  async prepare(chain: TestChain): Promise<void> {
    real = chain
    await openOperator(chain, hospital).accredit()
  }
} as const
async function listed(chain: TestChain): Promise<void> {
  await ofNodes.prepare(chain)
  await openOperator(chain, hospital).list(peer)
}

/** The requests of gateways, aggregators and whoever runs peers. */
export const ANCHOR_ROWS: readonly Row[] = [
  {
    ...common,
    name: 'register',
    types: anchors.gatewayRegistrationTypes,
    once: 'GatewayAlreadyRegistered',
    prepare: () => Promise.resolve(),
    send: registerGateway
  },
  {
    ...common,
    name: 'rotate, by the present signer',
    types: anchors.gatewayRotationTypes,
    once: 'GatewayEnded',
    send: (chain, by) => rotateGateway(chain, [by, next], gateway)
  },
  {
    ...common,
    name: 'rotate, by the new signer',
    key: next,
    types: anchors.gatewayRotationTypes,
    once: 'GatewayEnded',
    send: (chain, by) => rotateGateway(chain, [key, by], gateway)
  },
  {
    ...common,
    name: 'retire',
    types: anchors.gatewayRetirementTypes,
    once: 'GatewayEnded',
    send: (chain, by) => retireGateway(chain, by, gateway)
  },
  {
    ...common,
    name: 'anchor',
    types: anchors.anchorTypes,
    once: 'AnchorOutOfSequence',
    send: (chain, by) => anchor(chain, by, { gateway, sequence: 1, treeSize: 8, root: id('root') })
  },
  {
    ...common,
    name: 'anchorGateways',
    types: anchors.superRootTypes,
    once: 'SuperRootOutOfEpoch',
    send: (chain, by) => anchorGateways(chain, by, { epoch: 1, count: 1000, root: id('root') })
  },
  {
    ...ofNodes,
    name: 'list',
    types: nodes.nodeListingTypes,
    once: 'NodeRevisionOutOfSequence',
    send: async (chain, by) => openOperator(real, by).list(peer, { deadline: await chain.deadline() })
  },
  {
    ...ofNodes,
    name: 'changePledge',
    types: nodes.nodePledgeTypes,
    once: 'NodeRevisionOutOfSequence',
    prepare: listed,
    send: (chain, by) => openOperator(chain, by).changePledge(peer, 7, 2)
  },
  {
    ...ofNodes,
    name: 'retire',
    types: nodes.nodeRetirementTypes,
    once: 'NodeIsRetired',
    prepare: listed,
    send: (chain, by) => openOperator(chain, by).retire(peer)
  }
]
