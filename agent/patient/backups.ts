/** Backs the state up to the network and brings in what the person's other devices wrote there (docs/specs/agent-backup.md). */
import { backupTag, openBackup, sealBackup, type PlacedBackup } from '#core/agent/backup.ts'
import { mergeDevices, type Device } from '#core/agent/device.ts'
import { mergePatientStates } from '#core/agent/patient-merge.ts'
import { planReplacement } from '#core/agent/patient-revocation.ts'
import { encodePatientState } from '#core/agent/patient-state-codec.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import type { Compartment } from '#core/record/compartment.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { Accounts } from '#agent/accounts.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { publishEntry, readPage, withBlob, type Reader } from '#agent/network/record.ts'
import { changePatient } from '#agent/patient/change.ts'
import { withReplacement } from '#agent/patient/replacement.ts'
import type { StoredEntry } from '#node/http/client.ts'

/** What all backups of a record say together. */
export interface FoundBackups {
  readonly state: PatientState
  readonly devices: readonly Device[]
  readonly torn: readonly Compartment[]
}

/** Keeps the backup on the network up to date. */
export interface Backups {
  /** Publishes the state if it changed since the last time. */
  pushIfDue(): Promise<void>
  /**
   * Merges what other devices know. Where devices changed the same part of the record at once, a replacement of its keys is kept as an operation
   * in the same step; gives its id, for whoever wants to take it on at once.
   */
  pull(): Promise<Uint8Array | undefined>
}

/** Makes the service. */
export function createBackups(components: AgentComponents & { readonly accounts: Accounts }): Backups {
  const { p, random, clock, node, keeper, accounts, chain, deployment } = components
  /** Newest backup of each device that has been read, and up to which position of the node's log. */
  let found = new Map<string, PlacedBackup>()
  let after = 0
  keeper.onChange(() => {
    found = new Map()
    after = 0
  })

  async function readNew(): Promise<void> {
    const { account, ...reader } = await accounts.patient()
    const { state } = account
    const record = await chain.recordOf(state.patient)
    const entries = await readTagged(components, { ...reader, state }, state, after)
    for (const entry of entries.tagged) {
      // A forged backup must not keep the genuine ones from being read.
      const backup = await openIfGenuine(async () => openBackup(p, state.seed, await withBlob(node, entry), record))
      if (backup != null) keepNewest(found, backup)
    }
    after = entries.lastPosition
  }

  return {
    async pushIfDue() {
      const { account, keys, evidence } = await accounts.patient()
      if (!account.backup.isDue) return
      const { deviceId: device, deviceSeed, devices } = keeper.state()
      const { revision, cid: parent } = account.backup
      const { state } = account
      const sealed = sealBackup(
        p,
        random,
        { device, devices, state },
        { keys, deviceSeed, revision: revision + 1, parent, nowMs: clock() }
      )
      // The number is used up before the backup goes out: after a crash between the two it is not used for another one.
      await changePatient(keeper, now => ({
        ...now,
        backup: { revision: revision + 1, cid: sealed.cid, isDue: true }
      }))
      await publishEntry(node, state.network, sealed, evidence)
      await changePatient(keeper, now => ({ ...now, backup: { ...now.backup, isDue: now.state !== state } }))
    },
    async pull() {
      await readNew()
      const { deviceId } = keeper.state()
      const { keys } = await accounts.patient()
      const others = [...found.values()].filter(({ device }) => !equalBytes(device, deviceId))
      const id = random(16)
      let isTorn = false as boolean
      await keeper.update(async now => {
        if (now.patient == null) return now
        const own = { state: now.patient.state, devices: now.devices, device: deviceId }
        const merged = foldBackups([own, ...others])
        isTorn = merged.torn.length > 0
        const isSame = equalBytes(encodePatientState(merged.state), encodePatientState(now.patient.state))
        if (isSame && equalBytes(encodeCanonical(merged.devices), encodeCanonical(now.devices))) return now
        const backup = { ...now.patient.backup, isDue: true }
        const patient = { ...now.patient, state: merged.state, backup }
        if (!isTorn) return { ...now, devices: merged.devices, patient }
        // Together with the merged state: nothing tells afterwards that somebody lacks keys.
        const by = { state: merged.state, keys, target: deployment }
        const plan = await planReplacement(p, random, by, { compartments: merged.torn, nowS: secondsOf(clock) })
        const operation = { id, kind: 'replace' as const, grantId: null }
        return { ...now, devices: merged.devices, patient: withReplacement(patient, plan, operation) }
      })
      return isTorn ? id : undefined
    }
  }
}

async function openIfGenuine<T>(open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open()
  } catch (error) {
    if (isSalusError(error) && !/^(?:NODE|HTTP|CHAIN|FETCH)_/.test(error.code)) return undefined
    throw error
  }
}

function keepNewest(found: Map<string, PlacedBackup>, backup: PlacedBackup): void {
  const id = toHex(backup.device)
  if ((found.get(id)?.revision ?? 0) < backup.revision) found.set(id, backup)
}

/** All that the backups say; what a revoked device says counts only where no other is left. */
function foldBackups(
  backups: readonly { readonly state: PatientState; readonly devices: readonly Device[]; readonly device: Uint8Array }[]
): FoundBackups {
  const devices = backups.map(each => each.devices).reduce(mergeDevices)
  const isRevoked = (id: Uint8Array): boolean =>
    devices.some(each => equalBytes(each.id, id) && each.revokedAtMs != null)
  const trusted = backups.filter(({ device }) => !isRevoked(device))
  const states = (trusted.length > 0 ? trusted : backups).map(each => each.state)
  const torn = new Set<Compartment>()
  const state = states.reduce((left, right) => {
    const merged = mergePatientStates(left, right)
    for (const each of merged.torn) torn.add(each)
    return merged.state
  })
  return { state, devices, torn: [...torn] }
}

/** Entries of a record that carry the tag of backups, from a position on. */
async function readTagged(
  components: AgentComponents,
  reader: Reader,
  { patient, seed }: Pick<PatientState, 'patient' | 'seed'>,
  from: number
): Promise<{ readonly tagged: StoredEntry[]; readonly lastPosition: number }> {
  const tag = backupTag(components.p, seed)
  const tagged: StoredEntry[] = []
  let lastPosition = from
  for (let after: number | null = from; after != null;) {
    const page = await readPage(components, components.node, reader, { patient, grant: null, after })
    for (const entry of page.entries) {
      lastPosition = entry.position
      if (equalBytes(decodeEntry(entry.header).header.tag, tag)) tagged.push(entry)
    }
    after = page.next
  }
  return { tagged, lastPosition }
}

/**
 * Everything that the backups of a record say, for an agent that has nothing but the seed.
 *
 * @returns undefined if there is no backup that the seed opens
 */
export async function recoverBackups(
  components: AgentComponents,
  reader: Reader,
  { patient, seed }: Pick<PatientState, 'patient' | 'seed'>
): Promise<FoundBackups | undefined> {
  const record = await components.chain.recordOf(patient)
  const { tagged } = await readTagged(components, reader, { patient, seed }, 0)
  const found = new Map<string, PlacedBackup>()
  for (const entry of tagged) {
    const backup = await openIfGenuine(async () =>
      openBackup(components.p, seed, await withBlob(components.node, entry), record)
    )
    if (backup != null && equalBytes(backup.state.patient, patient)) keepNewest(found, backup)
  }
  return found.size === 0 ? undefined : foldBackups([...found.values()])
}
