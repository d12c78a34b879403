/** The contracts' events as plain values: what the chain follower feeds into the projection (docs/specs/chain-index.md). */
import { Interface, keccak256, type InterfaceAbi, type Result } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { nodeRegistryAbi } from '#core/abi/NodeRegistry.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import { createStaticReader, type EventFields } from '#core/chain/static-events.ts'
import { SalusError } from '#core/error.ts'

/** Lower-case hexadecimal with `0x`. */
export type Hex = `0x${string}`

/** One event of a Salus contract; ids and digests are 32 bytes, byte strings are hexadecimal. */
export type ChainEvent =
  | { readonly name: 'PatientRegistered'; readonly patient: Hex; readonly signer: Hex; readonly keyBundle: Hex }
  | { readonly name: 'KeyBundleUpdated'; readonly patient: Hex; readonly keyBundle: Hex }
  | { readonly name: 'SignerRotated'; readonly patient: Hex; readonly newSigner: Hex; readonly epoch: number }
  | { readonly name: 'GuardiansSet' | 'RecoveryVetoed'; readonly patient: Hex }
  | {
      readonly name: 'RecoveryOpened'
      readonly patient: Hex
      readonly newSigner: Hex
      /** Seconds since 1970. */
      readonly readyAt: number
      /** Seconds since 1970; from then on it cannot be completed. */
      readonly expiresAt: number
    }
  | {
      readonly name: 'GlassBroken'
      readonly patient: Hex
      readonly emergency: Hex
      readonly credential: Hex
      readonly secondCredential: Hex
      readonly salt: Hex
      /** keccak-256 of the salted reason. */
      readonly reason: Hex
      /** Seconds since 1970. */
      readonly expiresAt: number
    }
  | { readonly name: 'EmergencyEnded' | 'EmergencyDisputed'; readonly emergency: Hex }
  | {
      readonly name: 'EmergencyReviewed'
      readonly emergency: Hex
      /** 1 justified, 2 questionable, 3 unjustified. */
      readonly outcome: number
    }
  | { readonly name: 'CredentialIssued'; readonly credential: Hex; readonly terms: bigint }
  | {
      readonly name: 'Granted'
      readonly patient: Hex
      readonly grantId: Hex
      readonly terms: bigint
    }
  | { readonly name: 'Revoked'; readonly patient: Hex; readonly grantId: Hex }
  | { readonly name: 'Claimed'; readonly grantId: Hex; readonly usesLeft: number }
  | { readonly name: 'GatewayRegistered'; readonly gateway: Hex; readonly signer: Hex; readonly certificate: Hex }
  | { readonly name: 'GatewayRotated'; readonly gateway: Hex; readonly newSigner: Hex; readonly certificate: Hex }
  | { readonly name: 'GatewayRetired'; readonly gateway: Hex }
  | {
      readonly name: 'Anchored'
      readonly gateway: Hex
      readonly sequence: number
      readonly treeSize: number
      readonly root: Hex
    }
  | {
      readonly name: 'ManufacturerRegistered' | 'RotationProposed'
      readonly manufacturer: Hex
      readonly releaseSigners: readonly Hex[]
      readonly threshold: number
      readonly guards: readonly Hex[]
    }
  | { readonly name: 'RotationCancelled' | 'KeysetsRotated'; readonly manufacturer: Hex }
  | { readonly name: 'ModelRegistered'; readonly manufacturer: Hex; readonly model: Hex; readonly modelClass: Hex }
  | {
      readonly name: 'ReleasePublished'
      readonly model: Hex
      readonly sequence: number
      readonly imageSha256: Hex
      readonly securityCounter: number
      readonly sizeBytes: number
      readonly manifestDigest: Hex
      readonly manifest: Hex
    }
  | {
      readonly name: 'ReleaseHeld' | 'ReleaseUnheld'
      readonly model: Hex
      readonly sequence: number
      readonly reason: number
      /** Seconds since 1970. */
      readonly heldUntil: number
    }
  | { readonly name: 'ImageYanked'; readonly model: Hex; readonly imageSha256: Hex }
  | { readonly name: 'ReleaseYanked' | 'ActiveChanged'; readonly model: Hex; readonly sequence: number }
  | { readonly name: 'RolloutChanged'; readonly model: Hex; readonly sequence: number; readonly bps: number }
  | { readonly name: 'MinimumRaised'; readonly model: Hex; readonly minimumSequence: number }
  | {
      readonly name:
        'OrganisationAccredited' | 'OrganisationSuspended' | 'OrganisationExcluded' | 'OrganisationReinstated'
      readonly organisation: Hex
    }
  | {
      readonly name: 'NodeListed'
      readonly organisation: Hex
      readonly node: Hex
      /** Ed25519 public key of the peer, 32 bytes. */
      readonly peerKey: Hex
      readonly pledgedBytes: bigint
      /** Seconds since 1970. */
      readonly validUntil: number
      readonly nodeProof: Hex
    }
  | {
      readonly name: 'NodePledgeChanged'
      readonly organisation: Hex
      readonly node: Hex
      readonly pledgedBytes: bigint
    }
  | { readonly name: 'NodeRetired'; readonly organisation: Hex; readonly node: Hex }

/** What the decoder looks at in a log of `eth_getLogs`. */
export interface ChainLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

/** Reads a log; `undefined` if it is not of one of the deployment's contracts or of an event this version does not know. */
export type LogDecoder = (log: ChainLog) => ChainEvent | undefined

/** Of the contracts whose events make up the index; the others' are for those who ask for them. */
const ABIS: Readonly<Partial<Record<RequestContract, InterfaceAbi>>> = {
  AccessGrants: accessGrantsAbi,
  BatchAnchors: batchAnchorsAbi,
  CredentialRegistry: credentialRegistryAbi,
  EmergencyAccess: emergencyAccessAbi,
  FirmwareRegistry: firmwareRegistryAbi,
  NodeRegistry: nodeRegistryAbi
}

/** A contract whose events make up the index, and the first topics of those events. */
export interface FollowedContract {
  /** Lower case. */
  readonly address: string
  readonly topics: readonly string[]
}

/** The contracts of a deployment whose events make up the index. */
export function followedContracts(deployment: Deployment): FollowedContract[] {
  return Object.entries(ABIS).map(([name, abi]) => {
    const topics: string[] = []
    new Interface(abi).forEachEvent(({ topicHash }) => topics.push(topicHash))
    return { address: deployment.contracts[name as RequestContract].address.toLowerCase(), topics }
  })
}

/**
 * Makes the decoder of one deployment.
 *
 * The decoder throws SalusError `CHAIN_LOG_MALFORMED` if a contract's log does not match its own event: the RPC endpoint lies.
 */
export function createLogDecoder(deployment: Deployment): LogDecoder {
  const readers = new Map<string, EventReader>()
  for (const [name, abi] of Object.entries(ABIS)) {
    readers.set(deployment.contracts[name as RequestContract].address.toLowerCase(), createReader(new Interface(abi)))
  }
  return log => {
    const read = readers.get(log.address.toLowerCase())
    if (read == null) return undefined
    try {
      const found = read(log)
      // Values are decoded lazily: reading them all here keeps a malformed one from failing later.
      return found == null ? undefined : eventOf(found.name, found.fields)
    } catch (cause) {
      throw new SalusError(
        'CHAIN_LOG_MALFORMED',
        'The RPC endpoint gave a log that is not of its contract; use another.',
        {
          cause
        }
      )
    }
  }
}

type EventReader = (log: ChainLog) => { readonly name: string; readonly fields: EventFields } | undefined

/** Reads the events of one contract: most have fields of fixed size, which take a tenth of the time of a full decoder. */
function createReader(abi: Interface): EventReader {
  const simple = new Map<string, { readonly name: string; readonly read: (log: ChainLog) => EventFields }>()
  abi.forEachEvent(event => {
    const read = createStaticReader(event.inputs)
    if (read != null) simple.set(event.topicHash, { name: event.name, read })
  })
  return log => {
    const found = simple.get(log.topics[0] ?? '')
    if (found != null) return { name: found.name, fields: found.read(log) }
    const parsed = abi.parseLog(log)
    // A decoded list answers to the names of its fields.
    return parsed == null ? undefined : { name: parsed.name, fields: parsed.args as unknown as EventFields }
  }
}

function eventOf(name: string, args: EventFields): ChainEvent | undefined {
  const hex = (field: string): Hex => hexOf(args[field])
  const int = (field: string): number => intOf(args[field])
  switch (name) {
    case 'PatientRegistered':
      return { name, patient: hex('patient'), signer: hex('signer'), keyBundle: hex('keyBundle') }
    case 'KeyBundleUpdated':
      return { name, patient: hex('patient'), keyBundle: hex('keyBundle') }
    case 'SignerRotated':
      return { name, patient: hex('patient'), newSigner: hex('newSigner'), epoch: int('epoch') }
    case 'GuardiansSet':
    case 'RecoveryVetoed':
      return { name, patient: hex('patient') }
    case 'RecoveryOpened':
      return {
        name,
        patient: hex('patient'),
        newSigner: hex('newSigner'),
        readyAt: int('readyAt'),
        expiresAt: int('expiresAt')
      }
    case 'GlassBroken':
      return {
        name,
        patient: hex('patient'),
        emergency: hex('emergency'),
        credential: hex('credential'),
        secondCredential: hex('secondCredential'),
        salt: hex('salt'),
        reason: hex('reason'),
        expiresAt: int('expiresAt')
      }
    case 'EmergencyEnded':
    case 'EmergencyDisputed':
      return { name, emergency: hex('emergency') }
    case 'EmergencyReviewed':
      return { name, emergency: hex('emergency'), outcome: int('outcome') }
    case 'CredentialIssued':
      return { name, credential: hex('credential'), terms: args['terms'] as bigint }
    case 'Granted':
      return {
        name,
        patient: hex('patient'),
        grantId: hex('grantId'),
        terms: args['terms'] as bigint
      }
    case 'Revoked':
      return { name, patient: hex('patient'), grantId: hex('grantId') }
    case 'Claimed':
      return { name, grantId: hex('grantId'), usesLeft: int('usesLeft') }
    case 'GatewayRegistered':
      return { name, gateway: hex('gateway'), signer: hex('signer'), certificate: hex('certificate') }
    case 'GatewayRotated':
      return { name, gateway: hex('gateway'), newSigner: hex('newSigner'), certificate: hex('certificate') }
    case 'GatewayRetired':
      return { name, gateway: hex('gateway') }
    case 'Anchored':
      return {
        name,
        gateway: hex('gateway'),
        sequence: int('sequence'),
        treeSize: int('treeSize'),
        root: hex('root')
      }
    case 'ManufacturerRegistered':
    case 'RotationProposed':
      return { name, manufacturer: hex('manufacturer'), ...keysOf(args['keysets'] as Result) }
    case 'RotationCancelled':
    case 'KeysetsRotated':
      return { name, manufacturer: hex('manufacturer') }
    case 'ModelRegistered':
      return { name, manufacturer: hex('manufacturer'), model: hex('model'), modelClass: hex('modelClass') }
    case 'ReleasePublished':
      return {
        name,
        model: hex('model'),
        sequence: int('sequence'),
        imageSha256: hex('imageSha256'),
        securityCounter: int('securityCounter'),
        sizeBytes: int('sizeBytes'),
        manifestDigest: keccak256(hex('manifest')) as Hex,
        manifest: hex('manifest')
      }
    case 'ReleaseHeld':
    case 'ReleaseUnheld':
      return {
        name,
        model: hex('model'),
        sequence: int('sequence'),
        reason: int('reason'),
        heldUntil: int('heldUntil')
      }
    case 'ImageYanked':
      return { name, model: hex('model'), imageSha256: hex('imageSha256') }
    case 'ReleaseYanked':
    case 'ActiveChanged':
      return { name, model: hex('model'), sequence: int('sequence') }
    case 'RolloutChanged':
      return { name, model: hex('model'), sequence: int('sequence'), bps: int('bps') }
    case 'MinimumRaised':
      return { name, model: hex('model'), minimumSequence: int('minimumSequence') }
    case 'OrganisationAccredited':
    case 'OrganisationSuspended':
    case 'OrganisationExcluded':
    case 'OrganisationReinstated':
      return { name, organisation: hex('organisation') }
    case 'NodeListed':
      return {
        name,
        organisation: hex('organisation'),
        node: hex('node'),
        peerKey: hex('peerKey'),
        pledgedBytes: args['pledgedBytes'] as bigint,
        validUntil: int('validUntil'),
        nodeProof: hex('nodeProof')
      }
    case 'NodePledgeChanged':
      return {
        name,
        organisation: hex('organisation'),
        node: hex('node'),
        pledgedBytes: args['pledgedBytes'] as bigint
      }
    case 'NodeRetired':
      return { name, organisation: hex('organisation'), node: hex('node') }
    default:
      return undefined
  }
}

/** What the index keeps of a manufacturer's keys. */
function keysOf(keysets: Result): { releaseSigners: Hex[]; threshold: number; guards: Hex[] } {
  const release = keysets.getValue('release') as Result
  const guard = keysets.getValue('guard') as Result
  return {
    releaseSigners: Array.from(release.getValue('signers') as Result, hexOf),
    threshold: intOf(release.getValue('threshold')),
    guards: Array.from(guard.getValue('signers') as Result, hexOf)
  }
}

function hexOf(value: unknown): Hex {
  if (typeof value !== 'string' || !value.startsWith('0x')) throw new TypeError('expected hexadecimal')
  return value.toLowerCase() as Hex
}

function intOf(value: unknown): number {
  const int = Number(value)
  if (!Number.isSafeInteger(int)) throw new TypeError('expected a safe integer')
  return int
}
