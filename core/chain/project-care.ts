/** Patients, their recoveries, emergencies, credentials and grants in the projection. */
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import type { Fold } from '#core/chain/fold.ts'
import { readRecord } from '#core/chain/records.ts'

/** Its events. */
export type CareEvent = Extract<
  ChainEvent,
  {
    readonly name:
      | 'PatientRegistered'
      | 'KeyBundleUpdated'
      | 'SignerRotated'
      | 'GuardiansSet'
      | 'RecoveryVetoed'
      | 'RecoveryOpened'
      | 'GlassBroken'
      | 'EmergencyEnded'
      | 'EmergencyDisputed'
      | 'EmergencyReviewed'
      | 'CredentialIssued'
      | 'Granted'
      | 'Revoked'
      | 'Claimed'
  }
>

/** Most earlier key bundles that a patient's record remembers. */
export const MAX_PAST_KEY_BUNDLES: number = 32

const ZERO: Hex = `0x${'00'.repeat(32)}`

/** Projects one of them. */
export function projectCare(fold: Fold, event: CareEvent): void {
  const { state, blockTimeS, write, update } = fold
  /** Whatever the present signer does with a nonce voids the recovery under way. */
  const voidRecovery = (patient: Hex): void => {
    if (readRecord(state, 'recovery', patient)?.state === 'open') update('recovery', patient, { state: 'void' })
  }
  switch (event.name) {
    case 'PatientRegistered': {
      const { signer, keyBundle } = event
      write('patient', event.patient, { signer, keyBundle, pastKeyBundles: [], epoch: 0 })
      break
    }
    case 'KeyBundleUpdated': {
      voidRecovery(event.patient)
      const record = readRecord(state, 'patient', event.patient)
      if (record == null) break
      const replaced = { digest: record.keyBundle, untilS: blockTimeS }
      const pastKeyBundles = [replaced, ...record.pastKeyBundles].slice(0, MAX_PAST_KEY_BUNDLES)
      write('patient', event.patient, { ...record, keyBundle: event.keyBundle, pastKeyBundles })
      break
    }
    case 'SignerRotated': {
      const recovery = readRecord(state, 'recovery', event.patient)
      const isRecovered =
        recovery?.state === 'open' &&
        recovery.newSigner === event.newSigner &&
        blockTimeS >= recovery.readyAtS &&
        blockTimeS < recovery.expiresAtS
      if (isRecovered) update('recovery', event.patient, { state: 'completed', completedAtS: blockTimeS })
      else voidRecovery(event.patient)
      update('patient', event.patient, { signer: event.newSigner, epoch: event.epoch })
      break
    }
    case 'GuardiansSet':
    case 'RecoveryVetoed':
      voidRecovery(event.patient)
      break
    case 'RecoveryOpened': {
      const { newSigner, readyAt, expiresAt } = event
      const times = { readyAtS: readyAt, expiresAtS: expiresAt, completedAtS: null }
      write('recovery', event.patient, { newSigner, ...times, state: 'open' })
      break
    }
    case 'GlassBroken': {
      const { patient, credential, secondCredential, expiresAt } = event
      const times = { beganAtS: blockTimeS, expiresAtS: expiresAt }
      write('emergency', event.emergency, { patient, credential, secondCredential, ...times })
      break
    }
    case 'EmergencyEnded': {
      const expiresAtS = readRecord(state, 'emergency', event.emergency)?.expiresAtS ?? blockTimeS
      update('emergency', event.emergency, { expiresAtS: Math.min(expiresAtS, blockTimeS) })
      break
    }
    case 'EmergencyDisputed':
    case 'EmergencyReviewed':
      // No rule asks for them; agents read them themselves.
      break
    case 'CredentialIssued':
      write('credential', event.credential, { holder: addressOf(event.terms) })
      break
    case 'Granted': {
      const { patient } = event
      const usesLeft = Number(event.terms >> 248n)
      write('grant', event.grantId, {
        patient,
        terms: hexWord(event.terms),
        usesLeft,
        claimsS: [],
        // An id is granted once: what says so again, after its end, is no honest chain's.
        revokedAtS: readRecord(state, 'grant', event.grantId)?.revokedAtS ?? null
      })
      break
    }
    case 'Revoked': {
      const record = readRecord(state, 'grant', event.grantId)
      const tombstone = { patient: event.patient, terms: ZERO, usesLeft: 0, claimsS: [] }
      write('grant', event.grantId, { ...(record ?? tombstone), revokedAtS: blockTimeS })
      break
    }
    case 'Claimed': {
      const claimsS = readRecord(state, 'grant', event.grantId)?.claimsS ?? []
      update('grant', event.grantId, { usesLeft: event.usesLeft, claimsS: [...claimsS, blockTimeS] })
      break
    }
  }
}

/** The low 160 bits of packed terms. */
function addressOf(terms: bigint): Hex {
  return `0x${hexWord(terms).slice(-40)}`
}

function hexWord(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}
