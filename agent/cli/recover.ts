/** `salus patient recover`: the account again, from the seed or with the guardians. */
import type { Command } from 'commander'
import { connect, print, secretIn, walletOf, withAgent } from '#agent/cli/command.ts'
import { readPacked, writePacked } from '#agent/cli/guardians.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import type { PassphraseOptions } from '#agent/cli/passphrase.ts'
import { ensureVault } from '#agent/cli/vault.ts'
import { SalusError } from '#core/error.ts'
import { readBytes32 } from '#node/cli/options.ts'

interface RecoverOptions extends AgentOptions, PassphraseOptions {
  readonly seedFile?: string
  readonly device?: string
  readonly signer?: string
  readonly signerAddress?: string
  readonly patient?: string
  readonly out?: string
  readonly approval?: readonly string[]
  readonly complete?: boolean
  readonly share?: readonly string[]
}

/** Adds the command. */
export function addRecoverCommand(patient: Command): void {
  withAgent(
    patient
      .command('recover')
      .description(
        'make the account again: from its seed, or with guardians, step by step in the order of these options'
      )
  )
    .option('--seed-file <file>', 'file that holds the seed')
    .option('--passphrase-file <file>', 'file that holds the passphrase of a new vault')
    .option('--device <name>', 'what to call this device')
    .option('--signer <url>', 'with --seed-file: wallet program that controls the record')
    .option('--signer-address <address>', 'with --seed-file: address of that wallet')
    .option('--patient <id>', 'begin with guardians: whose record; any guardian can say it', readBytes32)
    .option('--out <file>', 'with --patient: file for the request that each guardian gets')
    .option('--approval <files...>', 'open the recovery with these approvals of guardians')
    .option('--complete', 'complete it after its delay')
    .option('--share <files...>', 'put these shares of guardians together')
    .action(recover)
}

async function recover(options: RecoverOptions): Promise<void> {
  const { seedFile, patient, approval, complete, share } = options
  const steps = [seedFile, patient, approval, complete, share].filter(each => each != null)
  if (steps.length !== 1) {
    throw new SalusError('RECOVER_STEP', 'Name one step: --seed-file, --patient, --approval, --complete or --share.')
  }
  if (seedFile != null) await fromSeed(seedFile, options)
  else if (patient != null) await begin(patient, options)
  else if (approval != null) await open(approval, options)
  else if (share != null) await finish(share, options)
  else {
    const answer = await (await connect(options)).post('/v1/recovery/complete')
    print(options, answer, 'The new wallet controls the record. Ask your guardians for their shares now.')
  }
}

async function fromSeed(file: string, options: RecoverOptions): Promise<void> {
  const client = await connect(options)
  const [seed, walletKey] = (await secretIn(file))?.split(/\s+/) ?? []
  if (seed == null) throw new SalusError('SEED_FILE', `${file} holds no seed.`)
  await ensureVault(client, options)
  const body = { seed, ...(walletKey == null || walletKey === '' ? {} : { walletKey }), ...walletOf(options) }
  const answer = await client.post<{ patient: string; grants: number; inControl: boolean }>('/v1/patient/recover', body)
  const control = answer.inControl ? '' : ' The wallet that controls it is not here: recover it with the guardians.'
  print(options, answer, `Patient ${answer.patient} with ${String(answer.grants)} grants.${control}`)
}

async function begin(patient: string, options: RecoverOptions): Promise<void> {
  if (options.out == null) throw new SalusError('RECOVER_STEP', 'Say with --out where the request for guardians goes.')
  const client = await connect(options)
  await ensureVault(client, options)
  const { request, check } = await client.post<{ request: string; check: string }>('/v1/recovery', { patient })
  await writePacked(options.out, request)
  print(options, { out: options.out, check }, [
    `Give ${options.out} to your guardians, and read them this number: ${check}`
  ])
}

async function open(files: readonly string[], options: RecoverOptions): Promise<void> {
  const approvals = await Promise.all(files.map(readPacked))
  const answer = await (await connect(options)).post<{ readyAtS: number }>('/v1/recovery/approvals', { approvals })
  print(options, answer, `The recovery can be completed from ${new Date(answer.readyAtS * 1000).toISOString()} on.`)
}

async function finish(files: readonly string[], options: RecoverOptions): Promise<void> {
  const releases = await Promise.all(files.map(readPacked))
  const answer = await (
    await connect(options)
  ).post<{ patient: string | null; grants: number; missing: number; wrong: readonly { at: number; code: string }[] }>(
    '/v1/recovery/releases',
    { releases }
  )
  const { patient, grants, missing, wrong } = answer
  print(options, answer, [
    ...wrong.map(({ at, code }) => `${files[at] ?? ''} is of no use (${code}).`),
    patient == null
      ? `${String(missing)} more shares are needed.`
      : `Patient ${patient} with ${String(grants)} grants. Name your guardians anew, and revoke the devices you lost.`
  ])
}
