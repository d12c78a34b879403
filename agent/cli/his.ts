/** `salus patient sync-his`: what a hospital's server has, into the record. */
import { Option, type Command } from 'commander'
import { connect, secretIn, withAgent } from '#agent/cli/command.ts'
import { followImports, type ImportView } from '#agent/cli/fhir-import.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { SalusError } from '#core/error.ts'

interface SyncOptions extends AgentOptions {
  readonly base: string
  readonly client: string
  readonly keyFile: string
  readonly algorithm: string
  readonly scope: string
  readonly tokenUrl?: string
  readonly bulk?: string
  readonly patient?: string
  readonly types?: readonly string[]
  readonly allowHttp: boolean
  readonly all: boolean
}

const USUAL = ['Patient', 'AllergyIntolerance', 'Condition', 'DiagnosticReport', 'DocumentReference', 'Encounter']
const MORE = ['Immunization', 'MedicationRequest', 'MedicationStatement', 'Observation', 'Procedure']

/** Adds the command. */
export function addHisCommand(patient: Command): void {
  withAgent(patient.command('sync-his').description('bring in what is new at a hospital’s FHIR server'))
    .requiredOption('--base <url>', 'base address of the server')
    .requiredOption('--client <id>', 'client id that the hospital gave')
    .requiredOption('--key-file <file>', 'private key whose public half the hospital has registered, as a JWK with kid')
    .addOption(new Option('--algorithm <name>', 'of the key').choices(['ES384', 'RS384']).default('ES384'))
    .option('--scope <scope>', 'what was agreed', 'system/*.rs')
    .option('--token-url <url>', 'where access is given, if the server does not say')
    .option('--bulk <path>', 'path of a bulk export there, as Group/1/$export')
    .option('--patient <id>', 'the patient’s id there, for servers without bulk export')
    .option('--types <names...>', 'resource types')
    .option('--allow-http', 'the server may be on this computer', false)
    .option('--all', 'everything, whatever was brought before', false)
    .action(sync)
}

async function sync(options: SyncOptions): Promise<void> {
  const { base, client: clientId, keyFile, bulk, patient, tokenUrl, algorithm, scope, allowHttp, all } = options
  const key = keyIn(await secretIn(keyFile))
  if ((bulk == null) === (patient == null)) {
    throw new SalusError('CLI_HIS', 'Name either --bulk or --patient, and a key file that holds a JWK with a kid.')
  }
  const types = options.types ?? (patient == null ? [] : [...USUAL, ...MORE])
  const from = patient == null ? { kind: 'bulk', path: bulk } : { kind: 'search', patient }
  const agreed = { base: base.replace(/\/$/, ''), clientId, key, keyId: key['kid'], algorithm, scope }
  const client = await connect(options)
  const answer = await client.post<{ imports: readonly ImportView[] }>('/v1/patient/his-sync', {
    ...{ ...agreed, from, types, allowHttp, all },
    ...(tokenUrl == null ? {} : { tokenUrl })
  })
  await followImports(client, answer.imports, options)
}

function keyIn(text: string | undefined): Record<string, unknown> {
  try {
    const key = JSON.parse(text ?? '') as Record<string, unknown>
    if (typeof key['kid'] === 'string') return key
  } catch {
    // As if it held none.
  }
  throw new SalusError('CLI_HIS', 'Name either --bulk or --patient, and a key file that holds a JWK with a kid.')
}
