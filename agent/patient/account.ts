/** Making a patient's account, and making it again from nothing but its seed. */
import type { PatientAccount, WalletReference } from '#core/agent/agent-state.ts'
import { mergeDevices } from '#core/agent/device.ts'
import { patientEvidence } from '#core/agent/grantee-requests.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import type { DatedEvent } from '#core/agent/record-on-chain.ts'
import type { Hex } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import type { AgentComponents } from '#agent/components.ts'
import { recoverBackups, type FoundBackups } from '#agent/patient/backups.ts'
import type { Operations, Progress } from '#agent/patient/operations.ts'
import { openWallet } from '#agent/vault/wallet.ts'

const EMPTY = { operations: [], requests: [], answered: [] } as const

/** A new private key; a random number is one but for a chance of 2^-127, which ethers refuses. */
function newWallet({ random }: AgentComponents): WalletReference {
  return { kind: 'key', key: random(32) }
}

/**
 * Makes a patient and registers it.
 *
 * @param wallet - one elsewhere; a new key in the vault if not given
 * @throws SalusError `AGENT_HAS_PATIENT`
 */
export async function createPatientAccount(
  components: AgentComponents & { readonly operations: Operations },
  wallet: WalletReference = newWallet(components)
): Promise<Progress> {
  const { keeper, random, deployment, operations } = components
  const id = random(16)
  await keeper.update(state => {
    refuseSecond(state.patient)
    const patient: PatientAccount = {
      ...EMPTY,
      state: createPatient(random, deployment, openWallet(wallet).address),
      wallet,
      operations: [{ id, kind: 'register', grantId: null, messages: [] }],
      backup: { revision: 0, cid: null, isDue: true }
    }
    return { ...state, patient }
  })
  return operations.run(id)
}

/**
 * Makes the account again of whoever holds the root seed: the pseudonym is found on the chain, where its key bundle stands, and
 * everything else in the backups that its devices left on the network.
 *
 * @param wallet - the one that controls the record, if it was not lost; else a new key, which a recovery on the chain may
 * put in control
 * @throws SalusError `AGENT_HAS_PATIENT`, `RECOVERY_NO_RECORD` (the chain knows no patient with these keys), `RECOVERY_NO_BACKUP`
 */
export async function recoverPatientAccount(
  components: AgentComponents,
  seed: Uint8Array,
  wallet: WalletReference = newWallet(components)
): Promise<PatientState> {
  const { p, keeper, chain } = components
  refuseSecond(keeper.state().patient)
  const keys = await deriveAgentKeys(p, seed)
  const patients = patientsWith(await chain.events(), toHex(keyBundleDigest(keys.bundleBytes)))
  if (patients.length === 0) {
    throw new SalusError(
      'RECOVERY_NO_RECORD',
      'The chain knows no patient with these keys; is it the right seed and network?'
    )
  }
  const { network } = keeper.state()
  const reader = { state: { network }, keys, evidence: patientEvidence(keys) }
  let found: FoundBackups | undefined
  for (const patient of patients)
    found ??= await recoverBackups(components, reader, { patient: fromHex(patient, 32), seed })
  if (found == null) {
    throw new SalusError('RECOVERY_NO_BACKUP', 'This node has no backup that the seed opens; try another node.')
  }
  const control = controlOf(await chain.events(), toHex(found.state.patient))
  const state: PatientState = { ...found.state, signer: control.signer ?? found.state.signer, epoch: control.epoch }
  await keeper.update(now => {
    refuseSecond(now.patient)
    const account = { ...EMPTY, state, wallet, backup: { revision: 0, cid: null, isDue: true } }
    return { ...now, devices: mergeDevices(found.devices, now.devices), patient: account }
  })
  return state
}

function refuseSecond(patient: PatientAccount | null): void {
  if (patient != null) throw new SalusError('AGENT_HAS_PATIENT', 'This agent keeps a patient already.')
}

/** All that name these keys as theirs: anybody may, only who has them leaves backups. */
function patientsWith(events: readonly DatedEvent[], keyBundle: Hex): Hex[] {
  const named = events.flatMap(({ event }) => {
    const isIts = event.name === 'PatientRegistered' || event.name === 'KeyBundleUpdated'
    return isIts && event.keyBundle === keyBundle ? event.patient : []
  })
  return [...new Set(named)]
}

/** Who controls the record by now, and how often that has changed; signers that are no plain account stay unknown. */
function controlOf(events: readonly DatedEvent[], patient: Hex): { signer: Uint8Array | undefined; epoch: number } {
  let signer: Uint8Array | undefined
  let epoch = 0
  for (const { event } of events) {
    if (event.name === 'PatientRegistered' && event.patient === patient) signer = accountOf(event.signer)
    if (event.name === 'SignerRotated' && event.patient === patient) {
      signer = accountOf(event.newSigner)
      epoch = event.epoch
    }
  }
  return { signer, epoch }
}

function accountOf(signer: Hex): Uint8Array | undefined {
  const bytes = fromHex(signer)
  return bytes.length === 20 ? bytes : undefined
}
