/** Whether a request that the contract refuses was refused because an equal one had been applied before. */
import { Contract, type Log, type Provider } from 'ethers'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { pagesBackwards } from '#node/chain/log-pages.ts'

/** A refused request: its decoded arguments, in the order of the method's parameters. */
export interface RefusedRequest {
  readonly contract: RequestContract
  readonly method: string
  readonly args: readonly unknown[]
  /** Name and arguments of the contract's error. */
  readonly errorName: string
  readonly errorArgs: readonly unknown[]
}

type Check = (chain: Asked, request: RefusedRequest) => Promise<boolean>

interface Asked {
  /** Calls a view of the contract. */
  view(method: string, ...args: unknown[]): Promise<readonly unknown[]>
  /** Arguments of the contract's newest events with these indexed values; those asked for happen once at most. */
  events(name: string, indexed: readonly unknown[]): Promise<(readonly unknown[])[]>
}

/** Bits of the terms below the counter of uses, which claims change. */
const TERMS_WITHOUT_USES = (1n << 248n) - 1n

/** The id of a grant is a hash of its patient and scope: only the terms can differ. */
const hasTerms: Check = async (chain, { args, errorArgs }) => {
  const [terms] = await chain.view('termsOf', errorArgs[0])
  return (((terms as bigint) ^ (args[1] as bigint)) & TERMS_WITHOUT_USES) === 0n
}

/** By `contract.method.error`; what is not listed was not applied. */
const CHECKS: Readonly<Record<string, Check>> = {
  'AccessGrants.register.PatientAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [keyBundle] = await chain.view('keyBundleOf', errorArgs[0])
    return keyBundle === args[1]
  },
  'AccessGrants.grant.GrantAlreadyOpened': hasTerms,
  'AccessGrants.grantWithAccount.GrantAlreadyOpened': hasTerms,
  // The tombstone is of the grant that was to be revoked: the id comes from the request.
  'AccessGrants.revoke.GrantIsRevoked': async () => Promise.resolve(true),
  'BatchAnchors.register.GatewayAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [registered] = await chain.events('GatewayRegistered', [errorArgs[0]])
    return registered?.[2] === args[1]
  },
  'BatchAnchors.rotate.GatewayEnded': async (chain, { args: [gateway, newSigner, certificate] }) => {
    const rotated = await chain.events('GatewayRotated', [gateway])
    return rotated.some(event => event[1] === newSigner && event[2] === certificate)
  },
  'BatchAnchors.retire.GatewayEnded': async (chain, { args: [gateway] }) => {
    return (await chain.events('GatewayRetired', [gateway])).length > 0
  },
  'BatchAnchors.anchorGateways.SuperRootOutOfEpoch': async (chain, { args: [epoch, count, root], errorArgs }) => {
    const [rooted] = await chain.events('SuperRooted', [errorArgs[0], epoch])
    return rooted?.[2] === count && rooted?.[3] === root
  },
  'BatchAnchors.anchor.AnchorOutOfSequence': async (chain, { args: [gateway, sequence, treeSize, root] }) => {
    const [anchored] = await chain.events('Anchored', [gateway, sequence])
    return anchored?.[2] === treeSize && anchored?.[3] === root
  },
  'NodeRegistry.list.NodeRevisionOutOfSequence': async (chain, { args, errorArgs }) => {
    const [organisation, , pledgedBytes, validUntil, revision] = args[0] as readonly unknown[]
    const listed = await chain.events('NodeListed', [organisation, errorArgs[0]])
    return listed.some(event => event[3] === pledgedBytes && event[4] === validUntil && event[5] === revision)
  },
  'NodeRegistry.changePledge.NodeRevisionOutOfSequence': async (chain, { args }) => {
    const [organisation, node, pledgedBytes, revision] = args
    const changed = await chain.events('NodePledgeChanged', [organisation, node])
    return changed.some(event => event[2] === pledgedBytes && event[3] === revision)
  },
  // It was the organisation's own wish: nobody else is let as far as this error.
  'NodeRegistry.retire.NodeIsRetired': async () => Promise.resolve(true),
  // Ids of makers and models are hashes of all that was registered: the same id is the same request.
  'FirmwareRegistry.registerManufacturer.ManufacturerAlreadyRegistered': async () => Promise.resolve(true),
  'FirmwareRegistry.registerModel.ModelAlreadyRegistered': async () => Promise.resolve(true),
  'FirmwareRegistry.publish.ReleaseOutOfSequence': async (chain, { args }) => {
    const [model, sequence, , , imageSha256, manifestDigest] = args[0] as readonly unknown[]
    const published = await chain.events('ReleasePublished', [model, sequence])
    return published.some(event => event[2] === imageSha256 && event[5] === manifestDigest)
  }
}

/** Asks the chain whether the request has been applied already, with the same terms. */
export async function isAlreadyApplied(
  { provider, deployment }: { readonly provider: Provider; readonly deployment: Deployment },
  request: RefusedRequest
): Promise<boolean> {
  const check = CHECKS[`${request.contract}.${request.method}.${request.errorName}`]
  if (check == null) return false
  const { address } = deployment.contracts[request.contract]
  const abi = CONTRACT_INTERFACES[request.contract]
  const contract = new Contract(address, abi, provider)
  return check(
    {
      view: async (method, ...args) => contract.getFunction(method).staticCallResult(...args),
      events: async (name, indexed) => {
        const topics = abi.encodeFilterTopics(name, indexed)
        const read = async (fromBlock: number, toBlock: number): Promise<Log[]> =>
          provider.getLogs({ address, topics, fromBlock, toBlock })
        const range = { fromBlock: deployment.blockNumber, toBlock: await provider.getBlockNumber() }
        for await (const logs of pagesBackwards(read, range)) {
          if (logs.length > 0) return logs.map((log): readonly unknown[] => abi.parseLog(log)?.args.toArray() ?? [])
        }
        return []
      }
    },
    request
  )
}
