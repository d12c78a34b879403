import { randomBytes } from 'node:crypto'
import { Wallet, type HDNodeWallet } from 'ethers'
import { granteeEvidence, patientEvidence } from '#core/agent/grantee-requests.ts'
import { createGrantee, type GranteeState } from '#core/agent/grantee-state.ts'
import { patientKeys } from '#core/agent/patient-registration.ts'
import { createPatient, type PatientState } from '#core/agent/patient-state.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { Random } from '#core/crypto/primitives.ts'
import { fromHex } from '#core/encoding/bytes.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import type { SignTypedData } from '#core/identity/key-binding.ts'
import { nativePrimitives } from '#node/crypto/native.ts'

/** Randomness of the operating system. */
export const osRandom: Random = length => new Uint8Array(randomBytes(length))

const BINDING_SECONDS = 365 * 24 * 3600
const REQUEST_SECONDS = 3600

/** Whole seconds since 1970. */
export function nowS(): number {
  return Math.floor(Date.now() / 1000)
}

/** Until when a relayer may submit what is signed now. */
export function deadlineS(): number {
  return nowS() + REQUEST_SECONDS
}

/** The demo patient: what its agent keeps in memory. */
export interface DemoPatient {
  readonly kind: 'patient'
  readonly signTypedData: SignTypedData
  readonly keys: AgentKeys
  readonly evidence: Uint8Array
  /** Replaced by each grant and revocation. */
  state: PatientState
}

/** A demo clinician. */
export interface DemoClinician {
  readonly kind: 'clinician'
  /** Address that grants are made to, 20 bytes. */
  readonly address: Uint8Array
  readonly keys: AgentKeys
  readonly evidence: Uint8Array
  /** Replaced by each capsule. */
  state: GranteeState
}

function signerOf(wallet: HDNodeWallet): SignTypedData {
  return async (domain, types, value) => wallet.signTypedData(domain, types, value)
}

/** Makes the patient's wallet, pseudonym and keys. */
export async function createDemoPatient(deployment: Deployment): Promise<DemoPatient> {
  const wallet = Wallet.createRandom()
  const state = createPatient(osRandom, deployment, fromHex(wallet.address, 20))
  const keys = await patientKeys(nativePrimitives, state)
  return { kind: 'patient', signTypedData: signerOf(wallet), keys, evidence: patientEvidence(keys), state }
}

/** Makes a clinician's wallet and keys, and binds the keys to the wallet's address. */
export async function createDemoClinician(deployment: Deployment): Promise<DemoClinician> {
  const wallet = Wallet.createRandom()
  const address = fromHex(wallet.address, 20)
  const keys = await deriveAgentKeys(nativePrimitives, osRandom(32))
  const notAfterS = nowS() + BINDING_SECONDS
  const evidence = await granteeEvidence(keys, { target: deployment, notAfterS, signTypedData: signerOf(wallet) })
  return {
    kind: 'clinician',
    address,
    keys,
    evidence,
    state: createGrantee(fromHex(deployment.networkId, 32), address)
  }
}
