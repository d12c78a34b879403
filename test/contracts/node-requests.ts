import { ed25519 } from '@noble/curves/ed25519.js'
import { concat, getBytes, hexlify, id, keccak256 } from 'ethers'
import { nodeListingTypes, nodePledgeTypes, nodeRetirementTypes } from '#core/abi/typed-data/nodes.ts'
import type { INodeRegistry } from '#core/abi/types/NodeRegistry.ts'
import { signNodeListing } from '#core/network/node-listing.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { openOffice, type Office } from '#test/contracts/credential-requests.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { Sent } from '#test/contracts/requests.ts'

/** A year with a leap day, in seconds: how far ahead a listing may end. */
export const MAX_VALIDITY_S: number = 366 * 86_400

/** A peer of a test, from a label. */
export interface Peer {
  readonly seed: Uint8Array
  readonly key: string
  /** Its id in the registry. */
  readonly node: string
}

/** The same peer each time. */
export function peerOf(label: string): Peer {
  const seed = getBytes(id(label))
  const key = hexlify(ed25519.getPublicKey(seed))
  return { seed, key, node: keccak256(concat(['0x002408011220', key])) }
}

/** Whoever runs peers for an organisation. */
export interface Operator extends Office {
  /** A listing that only needs its signature. */
  listing(peer: Peer, special?: Partial<INodeRegistry.ListingStruct>): Promise<INodeRegistry.ListingStruct>
  list(peer: Peer, special?: Partial<INodeRegistry.ListingStruct>, by?: Key): Sent
  changePledge(peer: Peer, pledgedBytes: number, revision: number, by?: Key): Sent
  retire(peer: Peer, by?: Key): Sent
}

/** Opens the desk of an organisation that `key` signs for. */
export function openOperator(chain: TestChain, key: Key): Operator {
  const { nodes } = chain.contracts
  const domain = chain.domainOf('NodeRegistry')
  const office = openOffice(chain, key)
  const { organisation } = office
  const operator: Operator = {
    ...office,
    async listing(peer, special = {}) {
      const validUntil = Number(special.validUntil ?? (await chain.now()) + MAX_VALIDITY_S)
      const { chainId, contracts } = chain.deployment
      const registry = getBytes(contracts.NodeRegistry.address)
      const agreed = { chainId, registry, organisation: getBytes(organisation), validUntil }
      const nodeProof = hexlify(signNodeListing(nativePrimitives, agreed, peer.seed))
      const deadline = await chain.deadline()
      const fixed = { organisation, peerKey: peer.key, pledgedBytes: 2 ** 40, revision: 1, nodeProof, deadline }
      return { ...fixed, validUntil, ...special }
    },
    async list(peer, special = {}, by = key) {
      const listing = await operator.listing(peer, special)
      return nodes.list(listing, by.signer, await by.sign(domain, nodeListingTypes, { ...listing }))
    },
    async changePledge({ node }, pledgedBytes, revision, by = key) {
      const deadline = await chain.deadline()
      const value = { organisation, node, pledgedBytes, revision, deadline }
      const signature = await by.sign(domain, nodePledgeTypes, value)
      return nodes.changePledge(organisation, node, pledgedBytes, revision, deadline, by.signer, signature)
    },
    async retire({ node }, by = key) {
      const deadline = await chain.deadline()
      const signature = await by.sign(domain, nodeRetirementTypes, { organisation, node, deadline })
      return nodes.retire(organisation, node, deadline, by.signer, signature)
    }
  }
  return operator
}
