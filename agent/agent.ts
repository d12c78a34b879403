/** A person's agent, put together: what the API speaks to. */
import { createAgentState } from '#core/agent/agent-state.ts'
import { backupTag } from '#core/agent/backup.ts'
import { openAsPatient } from '#core/agent/patient-entries.ts'
import { fromHex, equalBytes } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { createAccounts, type Accounts } from '#agent/accounts.ts'
import { createGrantedRecords, type GrantedRecords } from '#agent/clinician/entries.ts'
import type { AgentComponents } from '#agent/components.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { createEmergencyRecords, type EmergencyRecords } from '#agent/glass/records.ts'
import { lookAtEmergencies } from '#agent/glass/watch.ts'
import { chainAccesses, type AccessSource } from '#agent/patient/accesses.ts'
import { createBackups } from '#agent/patient/backups.ts'
import type { Importer } from '#agent/patient/importers.ts'
import { createOperations } from '#agent/patient/operations.ts'
import { createRecordIndex, type RecordIndex } from '#agent/record-index.ts'

/** What an agent may be told. */
export interface AgentInit {
  /** Tried before a file is taken as a document. */
  readonly importers?: readonly Importer[]
  /** Asked besides the chain who got at the record. */
  readonly accessSources?: readonly AccessSource[]
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
  /** Notices emergencies, and what ended. */
  look(): Promise<void>
  /** Makes the vault, with this device as its first. */
  createVault(passphrase: string, deviceName: string): Promise<void>
}

/** Puts an agent together; it does nothing by itself. */
export function createAgent(components: AgentComponents & Pick<GlassComponents, 'shelf'>, init: AgentInit = {}): Agent {
  const { p, random, clock, keeper, deployment } = components
  const accounts = createAccounts(components)
  const backups = createBackups({ ...components, accounts })
  const operations = createOperations({ ...components, accounts, backups })
  const glass: GlassComponents = { ...components, accounts, backups, operations }
  const makeRecord = (): RecordIndex => createPatientRecord(components, accounts)
  let record = makeRecord()
  keeper.onChange(() => (record = makeRecord()))
  return {
    ...glass,
    emergencyRecords: createEmergencyRecords(glass),
    look: async () => lookAtEmergencies(glass),
    record: {
      list: async query => record.list(query),
      open: async name => record.open(name),
      refresh: async retry => record.refresh(retry),
      peek: query => record.peek(query),
      has: header => record.has(header)
    },
    granted: createGrantedRecords({ ...components, accounts }),
    importers: init.importers ?? [],
    accessSources: [chainAccesses({ ...components, accounts }), ...(init.accessSources ?? [])],
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
    async reader() {
      const { account, keys, evidence } = await accounts.patient()
      const { state } = account
      return { reader: { state, keys, evidence }, patient: state.patient, grant: null }
    },
    open: (entry, record) => openAsPatient(p, stateOf(), entry, record),
    isOther: header => equalBytes(header.tag, backupTag(p, stateOf().seed))
  })
}
