/** The keys a gateway writes with: from the newest capsule of its grant, forgetting each day as it passes. */
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeCapsule, openCapsule, verifyCapsule, type Capsule } from '#core/grant/capsule.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { advanceCover, leafFromCover, type CoverNode } from '#core/record/day-tree.ts'
import { dayOf } from '#core/record/day.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import type { NodePort } from '#gateway/node-port.ts'
import type { KnownPatient } from '#gateway/state.ts'

/** Where one entry goes and what seals it. */
export interface SealingKey {
  readonly tag: Uint8Array
  readonly generation: number
  readonly day: number
  readonly leafKey: Uint8Array
}

/** Keys of one grant. */
export interface SealingKeys {
  /** Fetches the newest capsule; true if it is newer than what was known. */
  refresh(): Promise<boolean>
  /**
   * The key of today.
   *
   * @throws SalusError `DAY_NOT_COVERED` if the grant does not reach today
   */
  today(): Promise<SealingKey>
}

/** What sealing keys need. */
export interface SealingKeysComponents {
  readonly p: Primitives
  readonly clock: Clock
  readonly node: Pick<NodePort, 'queryCapsules'>
  readonly identity: GatewayIdentity
}

/** What they may be told. */
export interface SealingKeysInit {
  readonly network: Uint8Array
  /** Address of the network's `AccessGrants`, 20 bytes. */
  readonly contract: Uint8Array
  /** Grant id, 32 bytes. */
  readonly grant: Uint8Array
  /** Digest of the patient's key bundle, 32 bytes, learned from the patient and not from a node: only its capsules count. */
  readonly patientKeys: Uint8Array
  /** Called with the patient of each capsule; throws if it is another than before. */
  readonly onPatient: (patient: KnownPatient) => Promise<void>
}

interface Current {
  readonly revision: number
  readonly tag: Uint8Array
  readonly generation: number
  cover: readonly CoverNode[]
}

/** Makes the keys of a grant; nothing is fetched before the first call. */
export function createSealingKeys(
  { p, clock, node, identity }: SealingKeysComponents,
  { onPatient, ...expected }: SealingKeysInit
): SealingKeys {
  let current: Current | undefined

  async function refresh(): Promise<boolean> {
    const [newest] = (await node.queryCapsules(toHex(expected.grant))).slice(-1)
    if (newest == null) {
      throw new SalusError(
        'GATEWAY_NO_CAPSULE',
        'The node has no keys of this grant yet; the patient has to send them.'
      )
    }
    const capsule = decodeCapsule(newest.capsule, expected)
    checkCapsule(p, capsule, { ...expected, grantee: identity.signer })
    if (current != null && capsule.revision <= current.revision) return false
    const { keys } = await openCapsule(capsule, identity.keys)
    const vitals = keys.filter(key => key.compartment === 'vitals').sort((a, b) => b.generation - a.generation)[0]
    if (vitals == null)
      throw new SalusError('GATEWAY_COMPARTMENT', 'The grant has no keys of the compartment "vitals".')
    await onPatient({ id: capsule.patient, keyBundle: keyBundleDigest(capsule.bundle) })
    current = { ...vitals, revision: capsule.revision, cover: advanceCover(p, vitals.cover, dayOf(clock())) }
    return true
  }

  return {
    refresh,
    async today() {
      if (current == null) await refresh()
      if (current == null) throw new SalusError('GATEWAY_NO_CAPSULE', 'The keys of the grant are not here yet.')
      const day = dayOf(clock())
      // What opens days that have passed is dropped: whoever steals the process opens nothing old.
      current.cover = advanceCover(p, current.cover, day)
      const { tag, generation, cover } = current
      return { tag, generation, day, leafKey: leafFromCover(p, cover, day) }
    }
  }
}

/** A node may show anything: only what the patient itself sealed, for this gateway and this grant, is opened. */
function checkCapsule(
  p: Primitives,
  capsule: Capsule,
  expected: Pick<SealingKeysInit, 'contract' | 'grant' | 'patientKeys'> & { readonly grantee: Uint8Array }
): void {
  if (!equalBytes(keyBundleDigest(capsule.bundle), expected.patientKeys)) {
    throw new SalusError(
      'GATEWAY_PATIENT_KEYS',
      'The node gave keys that another than the patient named by --patient-keys sealed; ask another node or, if the patient has new keys, start again with their digest.'
    )
  }
  if (!equalBytes(capsule.grantId, expected.grant) || !verifyCapsule(p, capsule)) {
    throw new SalusError('GATEWAY_CAPSULE', 'The node gave keys that are not of this grant; ask another node.')
  }
  if (!equalBytes(capsule.contract, expected.contract)) {
    throw new SalusError('CAPSULE_CONTRACT', 'The capsule belongs to another AccessGrants contract; ask the patient.')
  }
  if (!equalBytes(capsule.grantee, expected.grantee)) {
    throw new SalusError('CAPSULE_ADDRESS', 'The capsule is for another grantee than this gateway; name its own grant.')
  }
}
