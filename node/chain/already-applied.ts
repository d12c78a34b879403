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

/** By `contract.method.error`; what is not listed was not applied. */
const CHECKS: Readonly<Record<string, Check>> = {
  'PatientRegistry.register.PatientAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [keyBundle] = await chain.view('keyBundleOf', errorArgs[0])
    return keyBundle === args[1]
  },
  'AccessGrants.grant.GrantAlreadyOpened': async (chain, { args, errorArgs }) => {
    const [terms] = await chain.view('termsOf', errorArgs[0])
    const [opened] = await chain.events('Granted', [null, errorArgs[0]])
    const same = ((terms as bigint) ^ (args[1] as bigint)) & TERMS_WITHOUT_USES
    return same === 0n && opened?.[3] === args[2]
  },
  // The tombstone is of the grant that was to be revoked: the id comes from the request.
  'AccessGrants.revoke.GrantIsRevoked': async () => Promise.resolve(true),
  'BatchAnchors.register.GatewayAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [, certificate] = await chain.view('gatewayOf', errorArgs[0])
    return certificate === args[1]
  },
  'BatchAnchors.anchor.AnchorOutOfSequence': async (chain, { args: [gateway, sequence, treeSize, root] }) => {
    const [anchored] = await chain.events('Anchored', [gateway, sequence])
    return anchored?.[2] === treeSize && anchored?.[3] === root
  },
  // Ids of makers and models are hashes of all that was registered: the same id is the same request.
  'FirmwareRegistry.registerManufacturer.ManufacturerAlreadyRegistered': async () => Promise.resolve(true),
  'FirmwareRegistry.registerModel.ModelAlreadyRegistered': async () => Promise.resolve(true),
  'FirmwareRegistry.publish.ReleaseOutOfSequence': async (chain, { args }) => {
    const [model, sequence] = args[0] as readonly unknown[]
    const [published] = await chain.events('ReleasePublished', [model, sequence])
    // The manifest holds what a release is, down to the digest of its image.
    return published?.[8] === args[1]
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
