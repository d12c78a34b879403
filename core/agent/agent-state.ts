/** What an agent keeps in its vault: a person's accounts on one network (docs/specs/agent-state.md). */
import type { CID } from 'multiformats/cid'
import type { Device } from '#core/agent/device.ts'
import type { GranteeState } from '#core/agent/grantee-state.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import type { ReceiptKind } from '#core/receipts/receipt.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'

/** Who signs for the chain: a key in the vault, or a wallet elsewhere that is asked. */
export type WalletReference =
  | { readonly kind: 'key'; readonly key: Uint8Array }
  | { readonly kind: 'rpc'; readonly url: string; readonly address: Uint8Array }

/**
 * Something that was decided and kept, and is on its way to the chain and the network. Each step may be taken twice: what was
 * under way when the agent died is taken again from its beginning.
 */
export interface Operation {
  /** 16 random bytes. */
  readonly id: Uint8Array
  /** What the chain is asked for; `replace` asks it for nothing. */
  readonly kind: 'register' | 'grant' | 'revoke' | 'replace' | 'guardians' | 'erase'
  /** The grant that is given or ended; null for the other kinds. */
  readonly grantId: Uint8Array | null
  /** Network messages to hand in afterwards, in order. */
  readonly messages: readonly Uint8Array[]
  /** Shares that their custodians have to confirm before the chain is asked. */
  readonly shares?: readonly OutgoingShare[]
}

/** A share on its way to a custodian. */
export interface OutgoingShare {
  /** HTTP API of the custodian. */
  readonly custodian: string
  /** Signing key that its card names, 32 bytes: its confirmation has to be by this one. */
  readonly keeper: Uint8Array
  readonly sealed: Uint8Array
}

/** How far this device has backed its state up. */
export interface BackupMark {
  /** Highest revision that this device has used, 0 for none. */
  readonly revision: number
  /** Name of the newest that a node has taken. */
  readonly cid: CID | null
  /** Whether the state has changed since. */
  readonly isDue: boolean
}

/** A request that was scanned and waits for the patient. */
export interface ReceivedRequest {
  readonly code: Uint8Array
  readonly receivedAtS: number
}

/** A request that this agent has made or answered. */
export interface SettledRequest {
  /** SHA-256 of its bytes. */
  readonly digest: Uint8Array
  /** It is forgotten from then on, as nobody takes it any more; seconds since 1970-01-01. */
  readonly notAfterS: number
  readonly isAnswered: boolean
}

/** A one-time grant whose keys custodians give, as its patient's answer says. */
export interface Invitation {
  readonly grantId: Uint8Array
  readonly patient: Uint8Array
  /** The patient's signing key, as the answer names it. */
  readonly author: Uint8Array
  /** HTTP APIs of the custodians. */
  readonly custodians: readonly string[]
  /** Whether the sealed entries that the claim opens were fetched. */
  readonly isFetched: boolean
}

/** A patient's record. */
export interface PatientAccount {
  readonly state: PatientState
  readonly wallet: WalletReference
  readonly operations: readonly Operation[]
  readonly backup: BackupMark
  readonly requests: readonly ReceivedRequest[]
  readonly answered: readonly SettledRequest[]
}

/** A clinician's access to records. */
export interface ClinicianAccount {
  readonly state: GranteeState
  /** Root of the keys, 32 bytes. */
  readonly seed: Uint8Array
  readonly wallet: WalletReference
  /** Encoded evidence that binds the keys to the wallet's address. */
  readonly evidence: Uint8Array
  readonly requests: readonly SettledRequest[]
  /** None if absent. */
  readonly invitations?: readonly Invitation[]
}

/** A new device on its way to a patient's seed: it has a wallet that is to control the record, and keys bound by it. */
export interface RecoveryAttempt {
  readonly patient: Uint8Array
  /** Root of the keys that shares are sealed to, 32 bytes. */
  readonly seed: Uint8Array
  /** Private key of the new wallet, 32 bytes. */
  readonly walletKey: Uint8Array
  /** Encoded evidence that binds the keys to the wallet. */
  readonly evidence: Uint8Array
}

/** A receipt of the patient's, as it was found in a log. */
export interface KeptReceipt {
  /** Its number in the log. */
  readonly number: number
  readonly kind: ReceiptKind
  /** Grant or emergency under which something was handed out. */
  readonly subject: Uint8Array | null
  /** Milliseconds since 1970-01-01, by the custodian's clock. */
  readonly atMs: number
  /** Who got it, 20 bytes; null for the patient. */
  readonly address: Uint8Array | null
}

/** How far a custodian's log of receipts was followed: what it was must stay so. */
export interface FollowedReceipts {
  /** Its HTTP API. */
  readonly url: string
  /** Peer id of the node, 38 bytes, and its log's signing key, 32. */
  readonly peer: Uint8Array
  readonly key: Uint8Array
  readonly size: number
  readonly peaks: readonly Uint8Array[]
  /** The newest checkpoint; null before the first. */
  readonly note: string | null
  readonly receipts: readonly KeptReceipt[]
}

/** Everything in a vault. */
export interface AgentState {
  readonly network: Uint8Array
  readonly deviceId: Uint8Array
  /** Seed of the device's own signing key, 32 bytes. */
  readonly deviceSeed: Uint8Array
  /** This device and the person's others. */
  readonly devices: readonly Device[]
  readonly patient: PatientAccount | null
  readonly clinician: ClinicianAccount | null
  /** Sealed shares that this person keeps for others as their guardian; none if absent. */
  readonly kept?: readonly Uint8Array[]
  /** Absent where no recovery by guardians is under way here. */
  readonly recovery?: RecoveryAttempt
  /** Custodians' logs of receipts, as far as they were followed; none if absent. */
  readonly logs?: readonly FollowedReceipts[]
}

/** A vault's first state: a device without accounts. */
export function createAgentState(
  p: Primitives,
  random: Random,
  { network, deviceName, nowMs }: { readonly network: Uint8Array; readonly deviceName: string; readonly nowMs: number }
): AgentState {
  const deviceId = random(16)
  const deviceSeed = random(32)
  const sign = p.ed25519PublicKey(deviceSeed)
  const device: Device = { id: deviceId, name: deviceName, sign, addedAtMs: nowMs, revokedAtMs: null }
  return { network, deviceId, deviceSeed, devices: [device], patient: null, clinician: null }
}
