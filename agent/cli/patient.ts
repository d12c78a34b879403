/** `salus patient`: a person's own record. */
import { readFile } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import { addGrantCommands } from '#agent/cli/patient-grants.ts'
import type { AgentClient } from '#agent/cli/client.ts'
import { connect, print, walletOf, withAgent } from '#agent/cli/command.ts'
import { addEntryCommands, OWN_RECORD } from '#agent/cli/entry-commands.ts'
import { addEmergency } from '#agent/cli/glass.ts'
import { entryLine, type EntryView } from '#agent/cli/entry-view.ts'
import { addEraseCommand } from '#agent/cli/erase.ts'
import { exportAs, listOriginals } from '#agent/cli/fhir-export.ts'
import { importFhirFile } from '#agent/cli/fhir-import.ts'
import { isFhirFile, typeOfFile } from '#agent/cli/file-type.ts'
import { addGuardianCommands } from '#agent/cli/guardians.ts'
import { addHisCommand } from '#agent/cli/his.ts'
import { addRecoverCommand } from '#agent/cli/recover.ts'
import { addLinkCommands, importShown, isShown, type ShownOptions } from '#agent/cli/links.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { readPassphrase, type PassphraseOptions } from '#agent/cli/passphrase.ts'
import { ensureVault } from '#agent/cli/vault.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'
import { readCount } from '#node/cli/options.ts'
import { writeDurably } from '#node/store/durable-file.ts'

interface CreateOptions extends AgentOptions, PassphraseOptions {
  readonly device?: string
  readonly signer?: string
  readonly signerAddress?: string
}

interface ImportOptions extends ShownOptions {
  readonly compartment?: string
  readonly type?: string
  readonly again: boolean
  readonly byAttribute: boolean
}

/** Adds the commands. */
export function registerPatient(program: Command): void {
  const patient = program.command('patient').description('a person’s own record')
  withAgent(patient.command('create').description('make and register a patient; makes the vault if there is none'))
    .option('--passphrase-file <file>', 'file that holds the passphrase of a new vault')
    .option('--device <name>', 'what to call this device')
    .option('--signer <url>', 'wallet program that signs (JSON-RPC); a new key in the vault if not given')
    .option('--signer-address <address>', 'address of that wallet')
    .action(create)
  withAgent(
    patient
      .command('import <file...>')
      .description(
        'write a file into the record; FHIR is taken apart; also a SMART Health Link, or the codes of a card'
      )
  )
    .addOption(new Option('--compartment <name>', 'as one document, in this section').choices(COMPARTMENTS))
    .option('--type <type>', 'media type, if not as the name’s ending says')
    .option('--passcode-file <file>', 'file that holds the passcode of a link')
    .option('--recipient <name>', 'who to say that opens a link')
    .option('--allow-http', 'a link’s server may be on this computer', false)
    .option('--again', 'write it once more even if the same file was imported before', false)
    .option('--by-attribute', 'seal JSON so that single parts of it can be granted', false)
    .action(importFile)
  withAgent(patient.command('entries').description('list the record, oldest first'))
    .option('--after <position>', 'begin after this position', readCount, 0)
    .option('--limit <n>', 'at most so many', readCount)
    .action(entries)
  withAgent(patient.command('export').description('write the record out: every entry to a folder, or FHIR to one file'))
    .requiredOption('--out <path>', 'the folder, or the file')
    .addOption(new Option('--format <format>', 'how').choices(['files', 'bundle', 'ndjson', 'ips']).default('files'))
    .option('--original [entry]', 'what was imported, to the byte; which one, if there are several')
    .addOption(new Option('--compartments <names...>', 'only these sections').choices(COMPARTMENTS))
    .action(exportAs)
  withAgent(patient.command('originals').description('list imports that can be made again to the byte')).action(
    listOriginals
  )
  withAgent(patient.command('seed').description('write the root seed to a file, to be kept apart or split'))
    .requiredOption('--out <file>', 'the file')
    .option('--with-wallet', 'also the wallet’s key, if it lies in the vault', false)
    .option('--passphrase-file <file>', 'file that holds the passphrase')
    .action(seed)
  addRecoverCommand(patient)
  addGuardianCommands(patient)
  addEraseCommand(patient)
  addGrantCommands(patient)
  addEntryCommands(patient, OWN_RECORD)
  addLinkCommands(patient)
  addHisCommand(patient)
  addEmergency(patient)
}

async function create(options: CreateOptions): Promise<void> {
  const client = await connect(options)
  await ensureVault(client, options)
  const answer = await client.post<{ patient: string; progress: { state: string } }>('/v1/patient', walletOf(options))
  print(options, answer, `Patient ${answer.patient} (${answer.progress.state}).`)
}

async function importFile(files: readonly string[], options: ImportOptions): Promise<void> {
  const client = await connect(options)
  if (files.every(isShown)) {
    await importShown(client, files, options)
    return
  }
  for (const file of files) await importOne(client, file, options)
}

async function importOne(client: AgentClient, file: string, options: ImportOptions): Promise<void> {
  const { compartment, type = await typeOfFile(file), again, byAttribute } = options
  // Taken apart, its resources lie where they belong; as one document, where and how the person says.
  if (compartment == null && !byAttribute && (await isFhirFile(file, options.type))) {
    await importFhirFile(client, file, options)
    return
  }
  const query = new URLSearchParams({
    ...(compartment == null ? {} : { compartment }),
    ...(again ? { again: 'true' } : {}),
    ...(byAttribute ? { attributes: 'true' } : {})
  })
  const answer = await client.send<{ entries: readonly string[]; waiting: number }>(
    `/v1/patient/entries?${query.toString()}`,
    await readFile(file),
    type
  )
  const waits = answer.waiting === 0 ? '' : `, ${String(answer.waiting)} wait for the node`
  print(options, answer, `${String(answer.entries.length)} entries written${waits}.`)
}

async function entries(options: AgentOptions & { after: number; limit?: number }): Promise<void> {
  const client = await connect(options)
  const all: EntryView[] = []
  let next: number | null = options.after
  do {
    const left = (options.limit ?? Number.MAX_SAFE_INTEGER) - all.length
    const query = `after=${String(next)}&limit=${String(Math.max(1, Math.min(100, left)))}`
    const page: { entries: EntryView[]; next: number | null } = await client.get(`/v1/patient/entries?${query}`)
    all.push(...page.entries)
    next = page.next
  } while (next != null && all.length < (options.limit ?? Number.MAX_SAFE_INTEGER))
  print(options, { entries: all, next }, all.map(entryLine))
}

async function seed(options: AgentOptions & PassphraseOptions & { out: string; withWallet: boolean }): Promise<void> {
  const client = await connect(options)
  const passphrase = await readPassphrase(options)
  const answer = await client.post<{ seed: string; wallet: string | null }>('/v1/patient/seed', { passphrase })
  const wallet = options.withWallet && answer.wallet != null ? `${answer.wallet}\n` : ''
  await writeDurably(options.out, utf8(`${answer.seed}\n${wallet}`))
  print(options, { out: options.out }, `The seed is in ${options.out}: whoever has it reads the whole record.`)
}
