/** `salus patient guardians`: people who together give a record back to who lost everything. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { connect, print, readDuration, withAgent } from '#agent/cli/command.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import type { PassphraseOptions } from '#agent/cli/passphrase.ts'
import { ensureVault } from '#agent/cli/vault.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { readCount } from '#node/cli/options.ts'
import { writeDurably } from '#node/store/durable-file.ts'

interface SharesView {
  readonly revision: number
  readonly shares: readonly { readonly address: string; readonly share: string }[]
}

interface GuardiansView {
  readonly guardians: readonly { readonly address: string; readonly isConfirmed: boolean }[]
  readonly threshold: number
  readonly isActive: boolean
  readonly recoveryReadyAtS: number | null
}

type Out = AgentOptions & { readonly out: string }

/** What a file of this kind holds: base64, in one line. */
export async function readPacked(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim()
}

/** Writes such a file. */
export async function writePacked(file: string, packed: string): Promise<void> {
  await writeDurably(file, utf8(`${packed}\n`))
}

/** Adds the commands. */
export function addGuardianCommands(patient: Command): void {
  const guardians = patient.command('guardians').description('people who together give the record back')
  withAgent(guardians.command('set <cards...>').description('share the seed out among the people of these cards'))
    .requiredOption('--threshold <n>', 'how many of them must meet', readCount)
    .addOption(new Option('--delay <time>', 'between a recovery and its completion, 1d to 30d').argParser(readDuration))
    .requiredOption('--out <dir>', 'folder for the shares, one file for each guardian')
    .action(set)
  withAgent(guardians.command('list').description('who they are, and whether the chain knows them')).action(list)
  withAgent(guardians.command('confirm <files...>').description('take confirmations of guardians')).action(confirm)
  withAgent(guardians.command('refresh').description('share the seed out anew among the same people'))
    .requiredOption('--out <dir>', 'folder for the shares')
    .action(refresh)
  withAgent(guardians.command('veto').description('stop a recovery that you did not ask for')).action(veto)
  withAgent(guardians.command('card').description('as a guardian: your card, for whom you guard'))
    .option('--passphrase-file <file>', 'file that holds the passphrase of a new vault')
    .requiredOption('--out <file>', 'the file')
    .action(card)
  withAgent(guardians.command('keep <file>').description('as a guardian: keep a share'))
    .requiredOption('--out <file>', 'file for your confirmation')
    .action(keep)
  withAgent(guardians.command('kept').description('as a guardian: for whom you keep shares')).action(kept)
  withAgent(guardians.command('approve <file>').description('as a guardian: consent to a recovery'))
    .requiredOption('--check <number>', 'the number that the person reads to you from the new device')
    .requiredOption('--out <file>', 'file for your approval')
    .action(approve)
  withAgent(guardians.command('release <file>').description('as a guardian: hand your share on after a recovery'))
    .requiredOption('--out <file>', 'file for the share, sealed to the new device')
    .action(release)
}

async function writeShares(options: Out, { revision, shares }: SharesView): Promise<void> {
  await mkdir(options.out, { recursive: true, mode: 0o700 })
  const files: { address: string; file: string }[] = []
  for (const { address, share } of shares) {
    const file = join(options.out, `${address}.share`)
    await writePacked(file, share)
    files.push({ address, file })
  }
  print(options, { revision, files }, [
    'Give each guardian its file; it is sealed to that guardian. They count once enough have confirmed.',
    ...files.map(({ file }) => file)
  ])
}

async function set(cards: readonly string[], options: Out & { threshold: number; delay?: number }): Promise<void> {
  const client = await connect(options)
  const { threshold, delay: delayS } = options
  const body = { cards: await Promise.all(cards.map(readPacked)), threshold, delayS }
  await writeShares(options, await client.post<SharesView>('/v1/patient/guardians', body))
}

async function refresh(options: Out): Promise<void> {
  const client = await connect(options)
  await writeShares(options, await client.post<SharesView>('/v1/patient/guardians/refresh'))
}

async function list(options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<GuardiansView>('/v1/patient/guardians')
  const { guardians, threshold, isActive, recoveryReadyAtS: atS } = answer
  print(options, answer, [
    `${String(threshold)} of ${String(guardians.length)} must meet; the chain ${isActive ? 'knows them' : 'waits for confirmations'}.`,
    ...guardians.map(
      ({ address, isConfirmed }) => `${address} ${isConfirmed ? 'keeps its share' : 'has not confirmed'}`
    ),
    ...(atS == null
      ? []
      : [`A recovery is under way, from ${new Date(atS * 1000).toISOString()} on: veto it if it is not yours.`])
  ])
}

async function confirm(files: readonly string[], options: AgentOptions): Promise<void> {
  const client = await connect(options)
  let progress: { state: string } | null = null
  for (const file of files) {
    const confirmation = await readPacked(file)
    const answer = await client.post<{ progress: { state: string } | null }>('/v1/patient/guardians/confirmations', {
      confirmation
    })
    progress = answer.progress ?? progress
  }
  const words = progress == null ? 'Confirmed.' : `Confirmed; the chain is told of your guardians (${progress.state}).`
  print(options, { confirmed: files.length, progress }, words)
}

async function veto(options: AgentOptions): Promise<void> {
  print(options, await (await connect(options)).post('/v1/patient/guardians/veto'), 'The recovery is stopped.')
}

async function card(options: Out & PassphraseOptions): Promise<void> {
  const client = await connect(options)
  await ensureVault(client, options)
  await writePacked(options.out, (await client.post<{ card: string }>('/v1/guardian/card')).card)
  print(options, { out: options.out }, `Your card is in ${options.out}; it is not secret.`)
}

async function keep(file: string, options: Out): Promise<void> {
  const client = await connect(options)
  const answer = await client.post<{ confirmation: string }>('/v1/guardian/shares', { share: await readPacked(file) })
  await writePacked(options.out, answer.confirmation)
  print(options, { out: options.out }, `The share is kept. Give ${options.out} to the patient.`)
}

async function kept(options: AgentOptions): Promise<void> {
  const answer = await (
    await connect(options)
  ).get<{ shares: readonly { patient: string; revision: number }[] }>('/v1/guardian/shares')
  print(
    options,
    answer,
    answer.shares.map(({ patient, revision }) => `${patient} (share ${String(revision)})`)
  )
}

async function approve(file: string, options: Out & { check: string }): Promise<void> {
  const client = await connect(options)
  const body = { request: await readPacked(file), check: options.check }
  await writePacked(options.out, (await client.post<{ approval: string }>('/v1/guardian/approvals', body)).approval)
  print(options, { out: options.out }, `Your approval is in ${options.out}.`)
}

async function release(file: string, options: Out): Promise<void> {
  const client = await connect(options)
  const body = { request: await readPacked(file) }
  await writePacked(options.out, (await client.post<{ release: string }>('/v1/guardian/releases', body)).release)
  print(options, { out: options.out }, `Your share, sealed to the new device, is in ${options.out}.`)
}
