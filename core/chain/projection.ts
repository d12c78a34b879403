/**
 * The chain's events folded into a small key-value state, with the changes that take each block back again
 * (docs/specs/chain-index.md). Pure: the follower keeps the state on disk, tests keep it in a map.
 */
import type { ChainEvent } from '#core/chain/events.ts'
import { foldInto, type Fold } from '#core/chain/fold.ts'
import { projectCare } from '#core/chain/project-care.ts'
import { projectConsortium } from '#core/chain/project-consortium.ts'
import { projectDevices } from '#core/chain/project-devices.ts'
import type { Change, StateView } from '#core/chain/records.ts'

/**
 * What a block's events change, in the order of the keys' first change; one change a key.
 *
 * @param blockTimeS - the block's time, seconds since 1970
 */
export function projectEvents(state: StateView, events: readonly ChainEvent[], blockTimeS: number): Change[] {
  const changes = new Map<string, string>()
  const fold = foldInto(changes, state, blockTimeS)
  for (const event of events) projectEvent(fold, event)
  return Array.from(changes, ([key, value]) => ({ key, value }))
}

/** The changes that take `changes` back, to be computed before they are written. */
export function undoOf(state: StateView, changes: readonly Change[]): Change[] {
  return changes.map(({ key }) => ({ key, value: state.get(key) ?? null }))
}

function projectEvent(fold: Fold, event: ChainEvent): void {
  switch (event.name) {
    case 'PatientRegistered':
    case 'KeyBundleUpdated':
    case 'SignerRotated':
    case 'GuardiansSet':
    case 'RecoveryVetoed':
    case 'RecoveryOpened':
    case 'GlassBroken':
    case 'EmergencyEnded':
    case 'EmergencyDisputed':
    case 'EmergencyReviewed':
    case 'CredentialIssued':
    case 'Granted':
    case 'Revoked':
    case 'Claimed':
      projectCare(fold, event)
      break
    case 'GatewayRegistered':
    case 'GatewayRotated':
    case 'GatewayRetired':
    case 'Anchored':
    case 'ManufacturerRegistered':
    case 'RotationProposed':
    case 'RotationCancelled':
    case 'KeysetsRotated':
    case 'ModelRegistered':
    case 'ReleasePublished':
    case 'ReleaseHeld':
    case 'ReleaseUnheld':
    case 'ImageYanked':
    case 'ReleaseYanked':
    case 'RolloutChanged':
    case 'ActiveChanged':
    case 'MinimumRaised':
      projectDevices(fold, event)
      break
    case 'OrganisationAccredited':
    case 'OrganisationReinstated':
    case 'OrganisationSuspended':
    case 'OrganisationExcluded':
    case 'NodeListed':
    case 'NodePledgeChanged':
    case 'NodeRetired':
      projectConsortium(fold, event)
      break
  }
}
