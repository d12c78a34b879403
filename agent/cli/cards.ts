/** `salus patient emergency card`, and what crews and keepers do with it: emergencies without a network. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import { base64pad } from 'multiformats/bases/base64'
import { connect, print, readDuration, withAgent } from '#agent/cli/command.ts'
import { readPacked } from '#agent/cli/guardians.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { readCount } from '#node/cli/options.ts'
import { writeDurably } from '#node/store/durable-file.ts'

type CardOptions = AgentOptions & { readonly vitals: number; readonly days: number; readonly out: string }

/** Adds the patient's command. */
export function addCards(emergency: Command): void {
  withAgent(emergency.command('card <keepers...>').description('a card to carry, for where there is no network'))
    .addOption(new Option('--vitals <time>', 'how much of the vitals').argParser(readDuration).default(86_400, '1d'))
    .option('--days <n>', 'for how many days it is good', readCount, 90)
    .requiredOption('--out <dir>', 'folder for the card, and for a package for each keeper of a share')
    .action(makeCard)
}

async function makeCard(keepers: readonly string[], options: CardOptions): Promise<void> {
  const client = await connect(options)
  const { vitals: vitalsS, days, out } = options
  const made = await client.post<{
    readonly card: string
    readonly throughDay: string
    readonly entries: number
    readonly packages: readonly { readonly address: string; readonly package: string }[]
  }>('/v1/patient/emergency-cards', { keepers: await Promise.all(keepers.map(readPacked)), vitalsS, days })
  await mkdir(out, { recursive: true, mode: 0o700 })
  const card = join(out, 'card.txt')
  await writeDurably(card, utf8(`${made.card}\n`))
  const packages: { address: string; file: string }[] = []
  for (const { address, package: packed } of made.packages) {
    const file = join(out, `${address}.package`)
    await writeDurably(file, base64pad.baseDecode(packed))
    packages.push({ address, file })
  }
  const { throughDay, entries } = made
  print(options, { card, throughDay, entries, packages }, [
    `Carry this card; it is good through ${throughDay}. Give each keeper its file: the card and one of them open what is in it.`,
    renderUnicodeCompact(made.card, { ecc: 'M', border: 2 }),
    ...packages.map(({ file }) => file)
  ])
}

/** Keeps a package. */
export async function keepPackage(file: string, options: AgentOptions): Promise<void> {
  const client = await connect(options)
  const path = '/v1/clinician/emergency-packages'
  const kept = await client.send<{ patient: string; untilS: number }>(
    path,
    await readFile(file),
    'application/octet-stream'
  )
  print(options, kept, `Kept for ${kept.patient}, until ${new Date(kept.untilS * 1000).toISOString()}.`)
}

/** Shows a share. */
export async function handShare(patient: string, options: AgentOptions): Promise<void> {
  const client = await connect(options)
  const shown = await client.post<{ card: string }>(`/v1/clinician/emergency-packages/${patient}/hand`)
  print(options, shown, [shown.card, renderUnicodeCompact(shown.card, { ecc: 'M', border: 2 })])
}

/** The text of a card, from the text itself or from a file that holds it. */
export async function cardText(cardOrFile: string): Promise<string> {
  return cardOrFile.startsWith('salus:card/') ? cardOrFile : readPacked(cardOrFile)
}
