/** Whether a request that the contract refuses was refused because an equal one had been applied before. */
import { AbiCoder, Contract, dataSlice, keccak256, toBeHex, type Log, type Provider } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { RESEARCH_CHECKS } from '#node/chain/already-applied-research.ts'
import type { Asked, Check, RefusedRequest } from '#node/chain/applied-check.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { pagesBackwards } from '#node/chain/log-pages.ts'

/** Bits of the terms below the counter of uses, which claims change. */
const TERMS_WITHOUT_USES = (1n << 248n) - 1n

/** The id of a grant is a hash of its patient and scope: only the terms can differ. */
const hasTerms =
  (asked: (args: readonly unknown[]) => unknown): Check =>
  async (chain, { args, errorArgs }) => {
    const [terms] = await chain.view('termsOf', errorArgs[0])
    return (((terms as bigint) ^ (asked(args) as bigint)) & TERMS_WITHOUT_USES) === 0n
  }

const hasGrantTerms: Check = hasTerms(args => args[1])

/** By `contract.method.error`; what is not listed was not applied. */
const CHECKS: Readonly<Record<string, Check>> = {
  ...RESEARCH_CHECKS,
  'AccessGrants.register.PatientAlreadyRegistered': async (chain, { args, errorArgs }) => {
    const [keyBundle] = await chain.view('keyBundleOf', errorArgs[0])
    return keyBundle === args[1]
  },
  'AccessGrants.grant.GrantAlreadyOpened': hasGrantTerms,
  'AccessGrants.grantWithAccount.GrantAlreadyOpened': hasGrantTerms,
  // The root is over all that a batch holds, and kept for its patient.
  'AccessGrants.grantBatch.GrantBatchAlreadyOpened': async () => Promise.resolve(true),
  'AccessGrants.openFromBatch.GrantAlreadyOpened': hasTerms(args => (args[2] as readonly unknown[])[0]),
  // The digest is all that a request says, and kept for each who asks.
  'AccessGrants.requestAccess.AccessRequestMadeBefore': async () => Promise.resolve(true),
  // The tombstone is of the grant that was to be revoked: the id comes from the request.
  'AccessGrants.revoke.GrantIsRevoked': async () => Promise.resolve(true),
  'CredentialRegistry.issue.CredentialAlreadyIssued': async (chain, { args: [organisation, acceptances] }) => {
    for (const [terms, salt] of acceptances as readonly (readonly [bigint, string])[]) {
      if ((await issuedTerms(chain, String(organisation), terms, salt)) !== terms) return false
    }
    return true
  },
  // The tombstone is of the credential that was to be revoked: the id comes from the request.
  'CredentialRegistry.revoke.CredentialIsRevoked': async () => Promise.resolve(true),
  'EmergencyAccess.breakGlass.EmergencyAlreadyDeclared': async (chain, { args, errorArgs }) => {
    const [declared] = await chain.events('GlassBroken', [null, errorArgs[0]])
    return declared?.[5] === args[1]
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
    const [model, sequence] = args[0] as readonly unknown[]
    const [published] = await chain.events('ReleasePublished', [model, sequence])
    // The manifest holds what a release is, down to the digest of its image.
    return published?.[8] === args[1]
  }
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
