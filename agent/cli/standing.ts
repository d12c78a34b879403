/** `salus patient emergency standing`: what is to follow a gateway's high alarm without the patient being asked. */
import type { Command } from 'commander'
import { Option } from 'commander'
import { codeOf, connect, print, readDuration, readMoment, withAgent } from '#agent/cli/command.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { SalusError } from '#core/error.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'

interface StandingOptions extends AgentOptions {
  readonly gateway?: readonly string[]
  readonly crew?: readonly string[]
  readonly for: number
  readonly vitals: number
  readonly perDay: number
  readonly until?: number
  readonly stop: boolean
  readonly retract?: string
  readonly because?: string
}

interface Shown {
  readonly instruction: {
    readonly crews: readonly { readonly address: string; readonly name: string }[]
    readonly durationS: number
    readonly untilS: number
  } | null
  readonly alarms: readonly {
    readonly entry: string
    readonly state: string
    readonly why: string
    readonly untilS: number
  }[]
}

const STANDING = '/v1/patient/standing'

/** Adds the command. */
export function addStanding(emergency: Command): void {
  withAgent(
    emergency
      .command('standing')
      .description('what a gateway’s high alarm opens to whom; without options, the instruction and its alarms')
  )
    .option('--gateway <grants...>', 'grants that gateways write their alarms under')
    .option('--crew <codes...>', 'requests of crews that may be sent, as text or files; the first where none is named')
    .addOption(new Option('--for <time>', 'for how long').argParser(readDuration).default(4 * 3600, '4h'))
    .addOption(new Option('--vitals <time>', 'how much of the vitals').argParser(readDuration).default(86_400, '1d'))
    .option('--per-day <n>', 'how many alarms a day open anything', readCount, 3)
    .addOption(new Option('--until <moment>', 'until when it counts; a year if not given').argParser(readMoment))
    .option('--stop', 'take it back', false)
    .option('--retract <entry>', 'take a false alarm back, and what it opened')
    .option('--because <text>', 'with --retract: why it was false')
    .action(standing)
}

async function standing(options: StandingOptions): Promise<void> {
  const client = await connect(options)
  const { gateway, crew, retract, because } = options
  if (options.stop) {
    print(options, await client.post(`${STANDING}/end`), 'Alarms open nothing any more.')
  } else if (retract != null) {
    if (because == null) throw new SalusError('STATEMENT_SHAPE', 'Say why it was false, with --because.')
    const path = `/v1/patient/alarms/${encodeURIComponent(retract)}/retract`
    print(options, await client.post(path, { reason: because }), 'The alarm is taken back, and what it opened is shut.')
  } else if (gateway != null || crew != null) {
    const body = {
      gateways: (gateway ?? []).map(readBytes32),
      crews: await Promise.all((crew ?? []).map(codeOf)),
      ...{ durationS: options.for, vitalsS: options.vitals, perDay: options.perDay, untilS: options.until ?? 0 }
    }
    const shown = await client.post<Shown>(STANDING, body)
    print(options, shown, linesOf(shown))
  } else {
    const shown = await client.get<Shown>(STANDING)
    print(options, shown, linesOf(shown))
  }
}

function linesOf({ instruction, alarms }: Shown): string[] {
  const said =
    instruction == null
      ? ['There is no standing instruction.']
      : [
          `Until ${isoOf(instruction.untilS)} a high alarm opens the record for ${String(instruction.durationS / 60)} minutes to:`,
          ...instruction.crews.map(({ address, name }) => `  ${name} ${address}`)
        ]
  return [...said, ...alarms.map(({ entry, state, why, untilS }) => `${entry} ${state} ${why} until ${isoOf(untilS)}`)]
}

function isoOf(timeS: number): string {
  return new Date(timeS * 1000).toISOString()
}
