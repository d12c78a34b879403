/** A person's agent, put together: what the API speaks to. */
import { CID } from 'multiformats/cid'
import { createAgentState } from '#core/agent/agent-state.ts'
import { backupTag } from '#core/agent/backup.ts'
import { patientLogFacts } from '#core/agent/log-facts.ts'
import type { PatientState } from '#core/agent/patient-state.ts'
import { openAsPatient } from '#core/agent/patient-entries.ts'
import { fromHex, equalBytes, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Log } from '#core/log/log.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { createAccounts, type Accounts } from '#agent/accounts.ts'
import { createGrantedRecords, type GrantedRecords } from '#agent/clinician/entries.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { lookAtAlarms } from '#agent/glass/alarms.ts'
import { createGuard, type Guard } from '#agent/glass/guard.ts'
import { createEmergencyRecords, type EmergencyRecords } from '#agent/glass/records.ts'
import { lookAtEmergencies } from '#agent/glass/watch.ts'
import { chainAccesses, type AccessSource } from '#agent/patient/accesses.ts'
import { createBackups } from '#agent/patient/backups.ts'
import type { OnTopOf } from '#agent/patient/drain.ts'
import type { Replica } from '#agent/patient/ending.ts'
import type { Importer } from '#agent/patient/importers.ts'
import { createOperations } from '#agent/patient/operations.ts'
import { createRecordIndex, type RecordIndex } from '#agent/record-index.ts'
import { createNodeSource } from '#agent/record/source.ts'

/** What an agent may be told. */
export interface AgentInit {
  /** Tried before a file is taken as a document. */
  readonly importers?: readonly Importer[]
  /** Asked besides the chain who got at the record. */
  readonly accessSources?: readonly AccessSource[]
  /** Other nodes that are to refuse what the patient has ended. */
  readonly replicas?: readonly Replica[]
  /** Where the node is, to name it. */
  readonly nodeUrl?: string
}

/** An agent's parts. */
export interface Agent extends GlassComponents {
  /** The patient's record. */
  readonly record: RecordIndex
  /** Records of others. */
  readonly granted: GrantedRecords
  /** Records that emergencies opened. */
  readonly emergencyRecords: EmergencyRecords
  readonly importers: readonly Importer[]
  readonly accessSources: readonly AccessSource[]
  readonly replicas: readonly Replica[]
  readonly nodeUrl: string
  /** Forgets what was read of the patient's record: it is read anew. */
  forgetRecord(): void
  /** Notices emergencies and alarms, and what ended. */
  look(): Promise<void>
  /** Hears of news in the patient's record. */
  readonly guard: Guard
  /** Makes the vault, with this device as its first. */
  createVault(passphrase: string, deviceName: string): Promise<void>
}

/** Puts an agent together; it does nothing by itself. */
export function createAgent(components: AgentComponents & Pick<GlassComponents, 'shelf'>, init: AgentInit = {}): Agent {
  const { p, random, clock, keeper, deployment } = components
  const accounts = createAccounts(components)
  const backups = createBackups({ ...components, accounts })
  const onTopOf = async (entry: Uint8Array) => nextRevisionOf(await record.log(), toHex(entry))
  const operations = createOperations({ ...components, accounts, backups, onTopOf })
  const glass: GlassComponents = { ...components, accounts, backups, operations }
  const makeRecord = (): RecordIndex => createPatientRecord(components, accounts)
  let record = makeRecord()
  keeper.onChange(() => (record = makeRecord()))
  const current: RecordIndex = {
    list: async query => record.list(query),
    open: async name => record.open(name),
    read: async id => record.read(id),
    search: async query => record.search(query),
    named: async names => record.named(names),
    rows: async () => record.rows(),
    versions: async () => record.versions(),
    log: async () => record.log(),
    changes: async since => record.changes(since),
    content: async header => record.content(header),
    sealed: async name => record.sealed(name)
  }
  // One look at a time: what one gives, the next must know of.
  let looking: Promise<void> = Promise.resolve()
  return {
    ...glass,
    emergencyRecords: createEmergencyRecords(glass),
    look: async () => {
      const turn = looking.then(async () => {
        await lookAtEmergencies(glass)
        await lookAtAlarms({ ...glass, record: current })
      })
      looking = turn.catch(() => undefined)
      return turn
    },
    guard: createGuard(glass),
    record: current,
    granted: createGrantedRecords({ ...components, accounts }),
    importers: init.importers ?? [],
    accessSources: [chainAccesses({ ...components, accounts }), ...(init.accessSources ?? [])],
    replicas: init.replicas ?? [],
    nodeUrl: init.nodeUrl ?? '',
    forgetRecord() {
      record = makeRecord()
    },
    async createVault(passphrase, deviceName) {
      const network = fromHex(deployment.networkId, 32)
      await keeper.create(passphrase, createAgentState(p, random, { network, deviceName, nowMs: clock() }))
    }
  }
}

function createPatientRecord(components: AgentComponents, accounts: Accounts): RecordIndex {
  const { p, keeper } = components
  const stateOf = () => {
    const { patient } = keeper.state()
    if (patient == null) throw new SalusError('AGENT_NO_PATIENT', 'This agent keeps no patient.')
    return patient.state
  }
  return createRecordIndex(components, {
    patient: async () => (await accounts.patient()).account.state.patient,
    source: createNodeSource(components, async () => {
      const { account, keys, evidence } = await accounts.patient()
      const { state } = account
      return { reader: { state, keys, evidence }, patient: state.patient, grant: null }
    }),
    facts: known => ({ ...patientLogFacts(p, stateOf(), known), retired: retiredTags(p, stateOf()) }),
    keyMark: () => String(COMPARTMENTS.reduce((sum, each) => sum + stateOf().generations[each].length, 0)),
    open: (entry, record) => openAsPatient(p, stateOf(), entry, record),
    isOther: header => equalBytes(header.tag, backupTag(p, stateOf().seed)),
    journal: () => components.journals.of(keeper.state().deviceSeed, `patient/${toHex(stateOf().patient)}`)
  })
}

function nextRevisionOf(log: Log, entry: string): Awaited<ReturnType<OnTopOf>> {
  if ((log.entry(entry)?.standing.length ?? 0) === 0) return undefined
  const { parents, revision } = log.parentsOfRevision(entry)
  return { parents: parents.map(name => CID.parse(name)), revision }
}

/** The patient knows best which tags it has replaced, and when: no node has to be asked for its rotations. */
function retiredTags(p: AgentComponents['p'], { generations }: PatientState): Map<string, number> {
  const retired = new Map<string, number>()
  for (const compartment of COMPARTMENTS) {
    for (const { key, retiredDay } of generations[compartment]) {
      if (retiredDay != null) retired.set(toHex(compartmentTag(p, key, compartment)), retiredDay)
    }
  }
  return retired
}
