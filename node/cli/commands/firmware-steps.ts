/** `salus firmware activate | rollout | minimum | hold | unhold | yank | advisory | rotate`: what follows a publication. */
import type { Command } from 'commander'
import { encodeBytes32String, type Wallet } from 'ethers'
import type { Hex } from '#core/chain/events.ts'
import type { Keysets } from '#core/firmware/keyset.ts'
import { onChain, signerSet, withChain, type ChainOptions } from '#node/cli/maker-chain.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'
import { createProgress } from '#node/cli/progress.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import { activateRelease, raiseMinimum, raiseRollout, type MakerComponents } from '#node/firmware/publish.ts'
import { completeRotation, proposeRotation } from '#node/firmware/rotate.ts'
import { addAdvisory, cutRollout, stopRelease, unholdRelease } from '#node/firmware/stop.ts'

interface ReleaseOptions extends ChainOptions {
  readonly model: Hex
  readonly sequence: number
}

interface SignedOptions extends ReleaseOptions {
  readonly keys: readonly string[]
  readonly reason: number
}

interface GuardOptions extends ReleaseOptions {
  readonly guardKey: string
  readonly reason: number
}

interface RolloutOptions extends ReleaseOptions {
  readonly bps: number
  readonly keys?: readonly string[]
  readonly guardKey?: string
}

interface AdvisoryOptions extends GuardOptions {
  readonly vulnerability: string
  readonly document: Hex
  readonly impact: number
}

interface RotateOptions extends ChainOptions {
  readonly model: Hex
  readonly oldRootKeys: readonly string[]
  readonly rootKeys: readonly string[]
  readonly keys: readonly string[]
  readonly guardKeys: readonly string[]
  readonly stewardKeys: readonly string[]
  readonly threshold?: number
  readonly rootThreshold?: number
  readonly silenceDays: number
  readonly complete: boolean
}

/** Adds the commands. */
export function registerFirmwareSteps(firmware: Command): void {
  const ofRelease = (name: string): Command =>
    withChain(firmware.command(name))
      .requiredOption('--model <id>', 'the model', readBytes32)
      .requiredOption('--sequence <n>', 'number of the release', readCount)
  const withReason = (command: Command): Command =>
    command.option('--reason <n>', "the manufacturer's own number for why", readCount, 0)

  ofRelease('activate')
    .description('start a release with its first devices; anybody may, once it is due')
    .action(async (options: ReleaseOptions) =>
      act(options, 'activated', async components => {
        await activateRelease(components, options)
      })
    )

  ofRelease('rollout')
    .description('offer the staged release to more devices (--keys) or to fewer (--guard-key)')
    .requiredOption('--bps <n>', 'share of the devices in hundredths of a per cent; 10000 for all', readCount)
    .option('--keys <files...>', 'keys of enough release signers')
    .option('--guard-key <file>', 'key of a guard')
    .action(async (options: RolloutOptions) => {
      const { keys, guardKey } = options
      const signers = await walletsOf(keys ?? [])
      const guard = guardKey == null ? undefined : await readKeyFile(guardKey)
      await act(options, 'rollout', async components =>
        guard == null ? raiseRollout(components, options, signers) : cutRollout(components, options, guard)
      )
    })

  ofRelease('minimum')
    .description('raise the release that devices must at least run')
    .requiredOption('--keys <files...>', 'keys of enough release signers')
    .action(async (options: SignedOptions) => {
      const keys = await walletsOf(options.keys)
      await act(options, 'minimum', async components => raiseMinimum(components, options, keys))
    })

  for (const action of ['hold', 'yank'] as const) {
    withReason(ofRelease(action))
      .description(action === 'hold' ? 'stop a release for 14 days' : 'withdraw a release and its image for ever')
      .requiredOption('--guard-key <file>', 'key of a guard')
      .action(async (options: GuardOptions) => {
        const guard = await readKeyFile(options.guardKey)
        const done = action === 'hold' ? 'held' : 'yanked'
        await act(options, done, async components => stopRelease(components, action, options, guard))
      })
  }

  withReason(ofRelease('unhold'))
    .description("let a held release go on, after the delay of its model's class")
    .requiredOption('--keys <files...>', 'keys of enough release signers')
    .action(async (options: SignedOptions) => {
      const keys = await walletsOf(options.keys)
      await act(options, 'unheld', async components => unholdRelease(components, options, keys))
    })

  ofRelease('advisory')
    .description('say something about a release, for ever')
    .requiredOption('--vulnerability <text>', 'its name, at most 31 characters')
    .requiredOption('--document <sha256>', 'SHA-256 of the document that explains it', readBytes32)
    .requiredOption('--guard-key <file>', 'key of a guard')
    .option('--impact <n>', '0 not affected, 1 affected, 2 fixed, 3 under investigation', readCount, 1)
    .action(async (options: AdvisoryOptions) => {
      const { model, sequence, impact, document: documentDigest } = options
      const vulnerability = encodeBytes32String(options.vulnerability) as Hex
      const advisory = { model, fromSequence: sequence, toSequence: sequence, vulnerability, impact, documentDigest }
      const guard = await readKeyFile(options.guardKey)
      await act(options, 'advised', async components => addAdvisory(components, advisory, guard))
    })

  withChain(firmware.command('rotate'))
    .description('replace the keys: propose, and 48 hours later the same again with --complete')
    .requiredOption('--model <id>', 'a model of the manufacturer', readBytes32)
    .requiredOption('--root-keys <files...>', 'new root keys')
    .requiredOption('--keys <files...>', 'new release keys')
    .requiredOption('--guard-keys <files...>', 'new keys of guards; the first is on duty')
    .option('--steward-keys <files...>', 'new keys of stewards', [])
    .option('--old-root-keys <files...>', 'enough root keys that are in force', [])
    .option('--threshold <n>', 'how many release signers it takes (default: all)', readCount)
    .option('--root-threshold <n>', 'how many root signers it takes (default: all)', readCount)
    .option('--silence-days <n>', 'days after which the manufacturer counts as gone', readCount, 400)
    .option('--complete', 'put the proposed keys in force', false)
    .action(rotate)
}

async function rotate(options: RotateOptions): Promise<void> {
  const { model, rootKeys, keys, guardKeys, stewardKeys, silenceDays, complete } = options
  const next: Keysets = {
    root: await signerSet(rootKeys, options.rootThreshold ?? rootKeys.length),
    release: await signerSet(keys, options.threshold ?? keys.length),
    guard: await signerSet(guardKeys, 1),
    steward: await signerSet(stewardKeys, stewardKeys.length),
    silenceDays
  }
  const [old, fresh] = [await walletsOf(options.oldRootKeys), await walletsOf(rootKeys)]
  await onChain(options, async components => {
    if (complete) await completeRotation(components, { model, next })
    else await proposeRotation(components, { model, next }, old, fresh)
    const event = complete ? 'rotated' : 'proposed'
    createProgress(options.json)({ event, model }, complete ? 'the new keys are in force' : 'the new keys are proposed')
  })
}

async function walletsOf(files: readonly string[]): Promise<Wallet[]> {
  return Promise.all(files.map(readKeyFile))
}

/** Does something with a release and says so. */
async function act(
  options: ReleaseOptions,
  event: string,
  step: (components: MakerComponents) => Promise<void>
): Promise<void> {
  await onChain(options, step)
  const { model, sequence } = options
  createProgress(options.json)({ event, model, sequence }, `release ${String(sequence)} ${event}`)
}
