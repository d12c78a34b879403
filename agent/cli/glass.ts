/** `salus clinician breakglass`, `salus patient emergency`, `salus agent notifications|watch`. */
import { Option, type Command } from 'commander'
import { writeBody } from '#agent/cli/body-out.ts'
import { connect, print, readDuration, withAgent } from '#agent/cli/command.ts'
import { addCards, cardText, handShare, keepPackage } from '#agent/cli/cards.ts'
import { entryLine, type EntryView } from '#agent/cli/entry-view.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { addStanding } from '#agent/cli/standing.ts'
import { readBytes32, readCount } from '#node/cli/options.ts'
import { SalusError } from '#core/error.ts'

interface BreakOptions extends AgentOptions {
  readonly patient?: string
  readonly reason?: string
  readonly hours?: number
  readonly credential?: string
  readonly custodian?: readonly string[]
  readonly reviewer?: readonly string[]
  readonly keep?: string
  readonly hand?: string
  readonly card?: readonly string[]
  readonly collect?: string
  readonly read?: string
  readonly entry?: string
  readonly out?: string
  readonly end?: string
  readonly queue?: boolean
  readonly review?: string
  readonly outcome?: string
  readonly report?: string
}

interface Held {
  readonly emergency: string
  readonly patient: string
  readonly state: string
  readonly untilS: number
  readonly reason: string
}

interface Shown {
  readonly emergency: string
  readonly untilS: number
  readonly isActive: boolean
  readonly outcome: string
  readonly reason?: string | null
}

const EMERGENCIES = '/v1/clinician/emergencies'

/** Adds the clinician's command. */
export function addBreakglass(clinician: Command): void {
  withAgent(
    clinician.command('breakglass').description('open a record in an emergency; without options, list what was opened')
  )
    .option('--patient <id>', 'whose record', readBytes32)
    .option('--reason <text>', 'why; the patient and reviewers read it')
    .option('--hours <n>', 'for how long', readHours)
    .option('--credential <id>', 'of several, the one to use', readBytes32)
    .option('--custodian <urls...>', 'nodes that keep the patient’s shares; the agent’s own node if not given')
    .option('--reviewer <bundles...>', 'key bundles of reviewers who may read the reason')
    .option('--card <cards...>', 'without a network: the patient’s card, or what a keeper shows, as text or files')
    .option('--keep <file>', 'keep a package for an emergency without a network')
    .addOption(new Option('--hand <id>', 'show this agent’s share of a patient to a crew').argParser(readBytes32))
    .addOption(new Option('--collect <id>', 'ask the custodians of an emergency again').argParser(readBytes32))
    .addOption(new Option('--read <id>', 'list what an emergency opens').argParser(readBytes32))
    .option('--entry <name>', 'with --read: write this entry to a file')
    .option('--out <file>', 'with --entry: the file; standard output if not given')
    .addOption(new Option('--end <id>', 'end an emergency, or take a false alarm back').argParser(readBytes32))
    .addOption(new Option('--queue', 'list emergencies that await review'))
    .addOption(new Option('--review <id>', 'review an emergency').argParser(readBytes32))
    .addOption(
      new Option('--outcome <what>', 'what the review found').choices(['justified', 'questionable', 'unjustified'])
    )
    .option('--report <text>', 'of the review; the chain keeps a salted digest')
    .action(breakglass)
}

/** Adds the patient's commands. */
export function addEmergency(patient: Command): void {
  const emergency = patient.command('emergency').description('who may open the record in an emergency, and who did')
  withAgent(emergency.command('prepare').description('have custodians keep shares of what an emergency opens'))
    .requiredOption('--custodian <urls...>', 'nodes that keep a share each')
    .requiredOption('--threshold <n>', 'how many of them must meet', readCount)
    .addOption(
      new Option('--vitals <time>', 'how much of the vitals they open, as 12h')
        .argParser(readDuration)
        .default(86_400, '1d')
    )
    .action(prepare)
  withAgent(emergency.command('list').description('every emergency, and why it was declared')).action(listOwn)
  withAgent(emergency.command('end <id>').description('end an emergency, such as a false alarm')).action(endOwn)
  withAgent(emergency.command('dispute <id>').description('dispute an emergency'))
    .requiredOption('--statement <text>', 'why; the chain keeps a salted digest')
    .action(dispute)
  addCards(emergency)
  addStanding(emergency)
}

/** Adds the commands of everybody. */
export function addNotifications(agent: Command): void {
  withAgent(agent.command('notifications').description('what there is to be told'))
    .option('--after <number>', 'only what came after this one', readCount, 0)
    .action(notifications)
  withAgent(agent.command('watch <patient>').description('be told of a patient’s emergencies, as a guardian')).action(
    watch
  )
}

function readHours(text: string): number {
  return /^\d{1,2}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 3600) : readDuration(text)
}

async function breakglass(options: BreakOptions): Promise<void> {
  const client = await connect(options)
  const { collect, read, end, review } = options
  if (options.queue === true) {
    const answer = await client.get<{ emergencies: readonly Shown[] }>('/v1/clinician/reviews')
    print(options, answer, answer.emergencies.map(shownLine))
  } else if (review != null) {
    const { outcome, report } = options
    const answer = await client.post<{ salt: string }>(`/v1/clinician/reviews/${review}`, { outcome, report })
    print(options, answer, `Reviewed. The report’s salt is ${answer.salt}; keep it with the report.`)
  } else if (end != null) {
    print(options, await client.post(`${EMERGENCIES}/${end}/end`), 'The emergency is over.')
  } else if (collect != null) {
    const held = await client.post<Held>(`${EMERGENCIES}/${collect}/collect`)
    print(options, held, heldLine(held))
  } else if (read != null) {
    await readEmergency(read, options)
  } else if (options.keep != null) {
    await keepPackage(options.keep, options)
  } else if (options.hand != null) {
    await handShare(options.hand, options)
  } else if (options.patient != null) {
    await declare(options)
  } else {
    const answer = await client.get<{ emergencies: readonly Held[] }>(EMERGENCIES)
    print(options, answer, answer.emergencies.map(heldLine))
  }
}

async function declare(options: BreakOptions): Promise<void> {
  const { patient, reason, hours: durationS, credential, custodian: custodians, reviewer: reviewers } = options
  if (reason == null || durationS == null) {
    throw new SalusError('REASON_LENGTH', 'An emergency has a reason and a time: give --reason and --hours.')
  }
  const { card } = options
  const client = await connect(options)
  const body = { patient, reason, durationS, credential, reviewers }
  const held =
    card == null
      ? await client.post<Held>(EMERGENCIES, { ...body, custodians })
      : await client.post<Held>(`${EMERGENCIES}/offline`, { ...body, cards: await Promise.all(card.map(cardText)) })
  print(options, held, heldLine(held))
}

async function readEmergency(id: string, options: BreakOptions): Promise<void> {
  const client = await connect(options)
  const path = `${EMERGENCIES}/${id}/entries`
  if (options.entry == null) {
    const entries: EntryView[] = []
    for (let after: number | null = 0; after != null;) {
      const page: { entries: readonly EntryView[]; next: number | null } = await client.get(
        `${path}?after=${String(after)}`
      )
      entries.push(...page.entries)
      after = page.next
    }
    print(options, { entries }, entries.map(entryLine))
    return
  }
  await writeBody(client, `${path}/${encodeURIComponent(options.entry)}`, options)
}

async function prepare(
  options: AgentOptions & { custodian: readonly string[]; threshold: number; vitals: number }
): Promise<void> {
  const { custodian: custodians, threshold, vitals } = options
  const body = { custodians, threshold, hours: Math.max(1, Math.ceil(vitals / 3600)) }
  const answer = await (await connect(options)).post<{ throughDay: string }>('/v1/patient/emergency-shares', body)
  print(options, answer, `Shares are kept, through ${answer.throughDay}; this agent renews them.`)
}

async function listOwn(options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).get<{ emergencies: readonly Shown[] }>('/v1/patient/emergencies')
  print(options, answer, answer.emergencies.map(shownLine))
}

async function endOwn(id: string, options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).post(`/v1/patient/emergencies/${readBytes32(id)}/end`)
  print(options, answer, 'The emergency is over.')
}

async function dispute(id: string, options: AgentOptions & { statement: string }): Promise<void> {
  const path = `/v1/patient/emergencies/${readBytes32(id)}/dispute`
  const answer = await (await connect(options)).post<{ salt: string }>(path, { statement: options.statement })
  print(options, answer, `Disputed. The statement’s salt is ${answer.salt}; keep it with the statement.`)
}

async function notifications(options: AgentOptions & { after: number }): Promise<void> {
  const path = `/v1/notifications?after=${String(options.after)}`
  const answer = await (
    await connect(options)
  ).get<{
    notifications: readonly { number: number; kind: string; subject: string; atMs: number }[]
  }>(path)
  print(
    options,
    answer,
    answer.notifications.map(
      ({ number, kind, subject, atMs }) => `${String(number)} ${new Date(atMs).toISOString()} ${kind} ${subject}`
    )
  )
}

async function watch(patient: string, options: AgentOptions): Promise<void> {
  const answer = await (await connect(options)).post('/v1/watches', { patient: readBytes32(patient) })
  print(options, answer, 'This agent tells you of the patient’s emergencies.')
}

function heldLine({ emergency, state, untilS, patient, reason }: Held): string {
  return `${emergency} ${state} until ${isoOf(untilS)} of ${patient}: ${reason}`
}

function shownLine({ emergency, isActive, untilS, outcome, reason }: Shown): string {
  return `${emergency} ${isActive ? 'active' : 'over'} until ${isoOf(untilS)}, ${outcome}${reason == null ? '' : `: ${reason}`}`
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
