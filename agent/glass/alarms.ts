/**
 * What an agent does about alarms while it runs: it finds those that gateways wrote, judges them by the standing instruction, gives
 * the crew what that allows, and takes it back where the alarm was false. Each step may be cut off and is made up for.
 */
import { readAlarm } from '#core/consent/alarm.ts'
import { judgeAlarm, type StandingInstruction } from '#core/consent/standing.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import type { Content } from '#core/record/content.ts'
import { dayOf } from '#core/record/day.ts'
import { secondsOf } from '#agent/components.ts'
import { closeAlarm, openAlarm } from '#agent/glass/alarm-grants.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'
import { sayOnce } from '#agent/glass/notifications.ts'
import type { JudgedAlarm } from '#agent/glass/standing-shelf.ts'
import { isTransient } from '#agent/patient/refusals.ts'
import { replaceKeys } from '#agent/patient/grants.ts'
import type { RecordIndex } from '#agent/record-index.ts'

/** What dealing with alarms needs. */
export type AlarmComponents = GlassComponents & { readonly record: RecordIndex }

const MAX_LOOKED_AT = 256

/** Does all of it once, as far as it goes now. */
export async function lookAtAlarms(components: AlarmComponents): Promise<void> {
  const { keeper, shelf } = components
  const { patient } = keeper.state()
  if (patient == null || patient.operations.some(({ kind }) => kind === 'register')) return
  const { instruction } = await shelf.standing.read()
  if (instruction != null) await judgeNew(components, instruction)
  for (const alarm of (await shelf.standing.read()).alarms) {
    if (alarm.state === 'opening') await proceed(components, alarm, instruction)
    if (alarm.state === 'opened') await follow(components, alarm)
  }
}

/**
 * Takes an alarm back as the patient: what it opened is shut at once.
 *
 * @throws SalusError `ALARM_UNKNOWN`, and as `endAccess`
 */
export async function retractAlarm(components: AlarmComponents, entry: Uint8Array): Promise<void> {
  const { alarms } = await components.shelf.standing.read()
  const alarm = alarms.find(each => equalBytes(each.entry, entry))
  if (alarm == null) throw new SalusError('ALARM_UNKNOWN', 'No such alarm was judged by this agent.')
  if (alarm.state === 'opening' || alarm.state === 'opened') await retract(components, alarm)
}

async function judgeNew(components: AlarmComponents, instruction: StandingInstruction): Promise<void> {
  const { record, shelf, clock } = components
  const found = await record.search({
    type: 'DetectedIssue',
    fromDay: dayOf(clock()) - 1,
    limit: MAX_LOOKED_AT
  })
  for (const { header, cid, summary } of found) {
    const { alarms } = await shelf.standing.read()
    if ('code' in summary || summary.author.kind !== 'grantee') continue
    const { grantId: writtenUnder } = summary.author
    const isOurs = instruction.gateways.some(each => equalBytes(each, writtenUnder))
    if (!isOurs || alarms.some(({ entry }) => equalBytes(entry, header.entry))) continue
    const { content } = await record.open(cid.toString())
    await judgeOne(components, instruction, { entry: header.entry, content, writtenUnder })
  }
}

async function judgeOne(
  components: AlarmComponents,
  instruction: StandingInstruction,
  { entry, content, writtenUnder }: { entry: Uint8Array; content: Content; writtenUnder: Uint8Array }
): Promise<void> {
  const { shelf, clock } = components
  const alarm = readAlarm(content)
  const nowS = secondsOf(clock)
  const { alarms } = await shelf.standing.read()
  const openedAtS = alarms.filter(({ state }) => state !== 'refused').map(({ atS }) => atS)
  const verdict =
    alarm == null
      ? { isOpened: false as const, why: 'not-meant' as const }
      : judgeAlarm(instruction, { alarm, writtenUnder, openedAtS, nowS })
  const blank = { entry, atS: nowS, grants: [] as readonly Uint8Array[] }
  const judged: JudgedAlarm = verdict.isOpened
    ? { ...blank, untilS: nowS + instruction.durationS, crew: verdict.crew.address, state: 'opening', why: '' }
    : { ...blank, untilS: nowS, crew: new Uint8Array(), state: 'refused', why: verdict.why }
  await shelf.standing.update(standing => ({ ...standing, alarms: [...standing.alarms, judged] }))
  if (!verdict.isOpened && verdict.why !== 'not-meant') await tell(components, 'alarm-refused', judged)
}

/** Gives what was decided; what cannot be given at all is told, what cannot be given now is tried again. */
async function proceed(
  components: AlarmComponents,
  alarm: JudgedAlarm,
  instruction: StandingInstruction | null
): Promise<void> {
  const crew = instruction?.crews.find(({ address }) => equalBytes(address, alarm.crew))
  if (instruction == null || crew == null) return refuse(components, alarm, 'over')
  if (secondsOf(components.clock) >= alarm.untilS) return refuse(components, alarm, 'old')
  try {
    const grants = await openAlarm(components, alarm, { crew, vitalsS: instruction.vitalsS })
    await change(components, alarm, { grants, state: 'opened' })
    await tell(components, 'alarm-opened', alarm)
  } catch (error) {
    if (!isSalusError(error)) throw error
    const { code } = error
    if (code === 'AGENT_LOCKED' || isTransient(error)) throw error
    await refuse(components, alarm, code)
  }
}

/** Of an alarm that opened something: whether it was false, or its time is over. */
async function follow(components: AlarmComponents, alarm: JudgedAlarm): Promise<void> {
  if (secondsOf(components.clock) >= alarm.untilS) {
    await replaceKeys(components, ['emergency', 'vitals'])
    await change(components, alarm, { state: 'over' })
    await tell(components, 'keys-replaced', alarm)
  } else if (await isFalse(components, alarm)) await retract(components, alarm)
}

async function isFalse({ record }: AlarmComponents, { entry }: JudgedAlarm): Promise<boolean> {
  const { read } = await record.read(toHex(entry))
  if (read.status === 'retracted') return true
  const [only] = read.standing
  return read.standing.length === 1 && only?.content != null && readAlarm(only.content)?.isRetracted === true
}

async function retract(components: AlarmComponents, alarm: JudgedAlarm): Promise<void> {
  await closeAlarm(components, alarm)
  await change(components, alarm, { state: 'retracted' })
  await tell(components, 'alarm-retracted', alarm)
}

async function refuse(components: AlarmComponents, alarm: JudgedAlarm, why: string): Promise<void> {
  await change(components, alarm, { state: 'refused', why })
  await tell(components, 'alarm-refused', alarm)
}

async function tell(
  components: AlarmComponents,
  kind: 'alarm-opened' | 'alarm-refused' | 'alarm-retracted' | 'keys-replaced',
  { entry }: JudgedAlarm
): Promise<void> {
  const { patient } = (await components.accounts.patient()).account.state
  await sayOnce(components, kind, { patient: toHex(patient), subject: toHex(entry) })
}

async function change({ shelf }: AlarmComponents, { entry }: JudgedAlarm, fields: Partial<JudgedAlarm>): Promise<void> {
  await shelf.standing.update(({ instruction, alarms }) => ({
    instruction,
    alarms: alarms.map(each => (equalBytes(each.entry, entry) ? { ...each, ...fields } : each))
  }))
}
