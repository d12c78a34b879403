import { id } from 'ethers'
import * as anchors from '#core/abi/typed-data/anchors.ts'
import * as nodes from '#core/abi/typed-data/nodes.ts'
import { requestVectors, type RequestSample, type SampleAddresses } from '#scripts/vectors/request-vectors.ts'

const ADDRESSES: SampleAddresses = {
  BatchAnchors: '0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0',
  NodeRegistry: '0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9'
}
const SIGNER = '0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0'

const [gateway, certificate, root] = ['gateway', 'certificate', 'root'].map(id)
const [organisation, node, peerKey] = ['organisation', 'node', 'peer key'].map(id)

const REQUESTS: readonly RequestSample[] = [
  ['BatchAnchors', anchors.gatewayRegistrationTypes, { gateway, signer: SIGNER, certificate }],
  ['BatchAnchors', anchors.gatewayRotationTypes, { gateway, newSigner: SIGNER, certificate }],
  ['BatchAnchors', anchors.gatewayRetirementTypes, { gateway }],
  ['BatchAnchors', anchors.anchorTypes, { gateway, sequence: 7, treeSize: 4096, root }],
  ['BatchAnchors', anchors.superRootTypes, { aggregator: SIGNER, epoch: 24, count: 1000, root }],
  [
    'NodeRegistry',
    nodes.nodeListingTypes,
    {
      organisation,
      peerKey,
      pledgedBytes: 2 ** 40,
      validUntil: 1_826_000_000,
      revision: 1,
      nodeProof: `0x${'5a'.repeat(64)}`
    }
  ],
  ['NodeRegistry', nodes.nodePledgeTypes, { organisation, node, pledgedBytes: 2 ** 41, revision: 2 }],
  ['NodeRegistry', nodes.nodeRetirementTypes, { organisation, node }]
]

/** Vectors of the requests about anchors and nodes; the key in them is published and worthless. */
export async function anchorRequestVectors(): Promise<Record<string, unknown>> {
  return {
    'anchor-requests': await requestVectors(
      'Signed requests about anchors and nodes; docs/specs/contracts-anchors.md, docs/specs/contracts-nodes.md',
      ADDRESSES,
      REQUESTS
    )
  }
}
