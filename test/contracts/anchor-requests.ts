import { id, type Wallet } from 'ethers'
import { gatewayRetirementTypes, gatewayRotationTypes, superRootTypes } from '#core/abi/typed-data/anchors.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import type { Key } from '#test/contracts/keys.ts'
import type { AnchorTerms, Sent } from '#test/contracts/requests.ts'

/** The digest of the keys that a gateway has after a rotation. */
export const NEW_CERTIFICATE: string = id('new certificate')

/** Hands a gateway to a new signer. */
export async function rotateGateway(chain: TestChain, [from, to]: readonly [Key, Key], gateway: string): Sent {
  const deadline = await chain.deadline()
  const value = { gateway, newSigner: to.signer, certificate: NEW_CERTIFICATE, deadline }
  const domain = chain.domainOf('BatchAnchors')
  const signature = await from.sign(domain, gatewayRotationTypes, value)
  const newSignature = await to.sign(domain, gatewayRotationTypes, value)
  const { anchors } = chain.contracts
  return anchors.rotate(gateway, to.signer, NEW_CERTIFICATE, deadline, from.signer, signature, newSignature)
}

/** Ends a gateway. */
export async function retireGateway(chain: TestChain, key: Key, gateway: string): Sent {
  const deadline = await chain.deadline()
  const signature = await key.sign(chain.domainOf('BatchAnchors'), gatewayRetirementTypes, { gateway, deadline })
  return chain.contracts.anchors.retire(gateway, deadline, key.signer, signature)
}

/** What an aggregator anchors. */
export interface SuperRootTerms {
  readonly epoch: number
  readonly count: number
  readonly root: string
}

/** Anchors a super-root through a relayer. */
export async function anchorGateways(chain: TestChain, key: Key, { epoch, count, root }: SuperRootTerms): Sent {
  const deadline = await chain.deadline()
  const value = { aggregator: key.id, epoch, count, root, deadline }
  const signature = await key.sign(chain.domainOf('BatchAnchors'), superRootTypes, value)
  return chain.contracts.anchors.anchorGateways(epoch, count, root, deadline, key.signer, signature)
}

/** Anchors a tree as the gateway's own account. */
export async function anchorByAccount(chain: TestChain, wallet: Wallet, terms: AnchorTerms): Sent {
  const { gateway, sequence, treeSize, root } = terms
  return (await chain.sentBy(wallet)).anchors.anchorByAccount(gateway, sequence, treeSize, root)
}

/** Anchors a super-root as the aggregator's own account. */
export async function anchorGatewaysByAccount(
  chain: TestChain,
  wallet: Wallet,
  { epoch, count, root }: SuperRootTerms
): Sent {
  return (await chain.sentBy(wallet)).anchors.anchorGatewaysByAccount(epoch, count, root)
}
