/** Whether a request that the contract refuses was refused because an equal one had been applied before. */
import { AbiCoder, Contract, dataSlice, keccak256, toBeHex, type Log, type Provider } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { PATIENT_CHECKS } from '#node/chain/already-applied-patients.ts'
import { RESEARCH_CHECKS } from '#node/chain/already-applied-research.ts'
import type { Asked, Check, RefusedRequest } from '#node/chain/applied-check.ts'
import { rpcError } from '#node/chain/chain-rpc.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { pagesBackwards } from '#node/chain/log-pages.ts'

/** Most gas that a signer's own contract may use to say whether a signature is its; nobody is paid for it. */
const SIGNATURE_GAS = 1_000_000n

/** Most pages of logs that are read for one refused request: two years of blocks every 12 s. */
const MAX_PAGES = 1_000

/** By `contract.method.error`; what is not listed was not applied. */
const CHECKS: Readonly<Record<string, Check>> = {
  ...PATIENT_CHECKS,
  ...RESEARCH_CHECKS,
  'CredentialRegistry.issue.CredentialAlreadyIssued': async (chain, { args: [organisation, acceptances] }) => {
    for (const [terms, salt] of acceptances as readonly (readonly [bigint, string])[]) {
      if ((await issuedTerms(chain, String(organisation), terms, salt)) !== terms) return false
    }
    return true
  },
  // The tombstone is of the credential that was to be revoked: the id comes from the request.
  'CredentialRegistry.revoke.CredentialIsRevoked': async () => Promise.resolve(true),
  'EmergencyAccess.breakGlass.EmergencyAlreadyDeclared': async (chain, { args, errorArgs }) => {
    const [, reason, duration] = args as readonly [unknown, unknown, bigint]
    const [[state], [declared]] = await Promise.all([
      chain.view('stateOf', errorArgs[0]) as Promise<readonly (readonly unknown[])[]>,
      chain.events('GlassBroken', [null, errorArgs[0]])
    ])
    // The end that was declared: the state's own may have been brought forward since.
    return declared?.[5] === reason && declared?.[6] === (state?.[0] as bigint) + duration
  },
  'EmergencyAccess.end.EmergencyIsOver': async (chain, { errorArgs }) =>
    (await chain.events('EmergencyEnded', [errorArgs[0]])).length > 0,
  'EmergencyAccess.dispute.EmergencyAlreadyDisputed': async (chain, { args, errorArgs }) => {
    const [disputed] = await chain.events('EmergencyDisputed', [errorArgs[0]])
    return disputed?.[1] === args[1]
  },
  'EmergencyAccess.reviewByCredential.EmergencyAlreadyReviewed': async (chain, { args, errorArgs }) => {
    const [reviewed] = await chain.events('EmergencyReviewed', [errorArgs[0]])
    return reviewed?.[1] === args[1] && reviewed?.[2] === args[2]
  },
  'BatchAnchors.register.GatewayAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [registered] = await chain.events('GatewayRegistered', [errorArgs[0]])
    return registered?.[2] === args[1]
  },
  'BatchAnchors.rotate.GatewayEnded': async (chain, { args: [gateway, newSigner, certificate] }) => {
    const isThis = (event: readonly unknown[]): boolean => event[1] === newSigner && event[2] === certificate
    return (await chain.events('GatewayRotated', [gateway], isThis)).length > 0
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
    const isThis = (event: readonly unknown[]): boolean =>
      event[3] === pledgedBytes && event[4] === validUntil && event[5] === revision
    return (await chain.events('NodeListed', [organisation, errorArgs[0]], isThis)).length > 0
  },
  'NodeRegistry.changePledge.NodeRevisionOutOfSequence': async (chain, { args }) => {
    const [organisation, node, pledgedBytes, revision] = args
    const isThis = (event: readonly unknown[]): boolean => event[2] === pledgedBytes && event[3] === revision
    return (await chain.events('NodePledgeChanged', [organisation, node], isThis)).length > 0
  },
  // It was the organisation's own wish: nobody else is let as far as this error.
  'NodeRegistry.retire.NodeIsRetired': async () => Promise.resolve(true),
  // A maker's id is a hash of all that was registered: the same id is the same request.
  'FirmwareRegistry.registerManufacturer.ManufacturerAlreadyRegistered': async () => Promise.resolve(true),
  // A model's is not: it leaves out risk and room.
  'FirmwareRegistry.registerModel.ModelAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [manufacturer, , riskClass, slotMiB] = args
    const [registered] = await chain.events('ModelRegistered', [manufacturer, errorArgs[0]])
    return registered?.[3] === riskClass && registered?.[4] === slotMiB
  },
  'FirmwareRegistry.publish.ReleaseOutOfSequence': async (chain, { args: [terms, manifest] }) => {
    const [model, sequence, securityCounter, kind, sizeBytes, imageSha256, , notBefore, keysetVersion] =
      terms as readonly unknown[]
    const [published] = await chain.events('ReleasePublished', [model, sequence])
    if (published == null) return false
    const asked = [imageSha256, securityCounter, kind, sizeBytes, keysetVersion, manifest]
    const told = [...published.slice(2, 6), ...published.slice(7)]
    // It starts no earlier than asked, and may have to wait longer.
    return told.every((value, i) => value === asked[i]) && (published[6] as bigint) >= (notBefore as bigint)
  }
}

function isAway(cause: unknown): boolean {
  const { code } = cause as { readonly code?: unknown }
  return typeof code === 'string' && rpcError(cause).code === 'CHAIN_UNREACHABLE'
}

/** What the registry keeps under the id of a credential; nothing if it was never issued. */
async function issuedTerms(chain: Asked, organisation: string, terms: bigint, salt: string): Promise<unknown> {
  const holder = dataSlice(toBeHex(terms, 32), 12)
  const fields = AbiCoder.defaultAbiCoder().encode(['bytes32', 'address', 'bytes32'], [organisation, holder, salt])
  const [, kept] = await chain.view('credentialOf', keccak256(fields)).catch(() => [])
  return kept
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
      domain: domain(request.contract, deployment.chainId, address),
      view: async (method, ...args) => contract.getFunction(method).staticCallResult(...args),
      call: async (to, data) =>
        provider.call({ to, data, gasLimit: SIGNATURE_GAS }).catch((cause: unknown) => {
          // What the endpoint says of the call is an answer, whatever it is; an endpoint that is away gives none.
          if (isAway(cause)) throw rpcError(cause)
          return '0x'
        }),
      events: async (name, indexed, isMeant = () => true) => {
        const topics = abi.encodeFilterTopics(name, indexed)
        const read = async (fromBlock: number, toBlock: number): Promise<Log[]> =>
          provider.getLogs({ address, topics, fromBlock, toBlock })
        const range = { fromBlock: deployment.blockNumber, toBlock: await provider.getBlockNumber() }
        let pages = 0
        for await (const logs of pagesBackwards(read, range)) {
          const meant = logs.map((log): readonly unknown[] => abi.parseLog(log)?.args.toArray() ?? []).filter(isMeant)
          if (meant.length > 0) return meant
          if (++pages === MAX_PAGES) break
        }
        return []
      }
    },
    request
  )
}
