/** What a patient has laid down for an alarm: who may read what, without being asked again (docs/specs/standing-instruction.md). */
import { equalBytes } from '#core/encoding/bytes.ts'
import type { Alarm } from '#core/consent/alarm.ts'

/** A crew that may be sent. */
export interface StandingCrew {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** Encoded key bundle, whose binding to the address was checked. */
  readonly bundle: Uint8Array
  /** What the crew calls itself. */
  readonly name: string
}

/** A standing instruction. */
export interface StandingInstruction {
  /** Ids of the grants that the gateways write under, 32 bytes each. */
  readonly gateways: readonly Uint8Array[]
  /** The first is meant where an alarm names none. */
  readonly crews: readonly StandingCrew[]
  /** How much of the vitals is opened, seconds back from the alarm. */
  readonly vitalsS: number
  /** For how long, seconds. */
  readonly durationS: number
  /** How many alarms within a day open anything. */
  readonly perDay: number
  /** It counts until then, seconds since 1970-01-01. */
  readonly untilS: number
}

/** An alarm with what the log proves of it. */
export interface AlarmFacts {
  readonly alarm: Alarm
  /** The grant that it was written under; null if the patient wrote it. */
  readonly writtenUnder: Uint8Array | null
  /** When earlier alarms opened something, seconds since 1970-01-01. */
  readonly openedAtS: readonly number[]
  readonly nowS: number
}

/** Why nothing is opened. `not-meant` is no alarm in the sense of the instruction, and nobody is told of it. */
export type AlarmRefusal = 'not-meant' | 'over' | 'old' | 'crew-unknown' | 'too-often'

/** What follows. */
export type AlarmVerdict =
  { readonly isOpened: true; readonly crew: StandingCrew } | { readonly isOpened: false; readonly why: AlarmRefusal }

/** Older alarms open nothing: whoever held them back must not choose the time. */
export const FRESH_S = 900
/** Difference of clocks that is borne. */
const SKEW_S = 120
const DAY_S = 86_400

/** Decides; the order of the reasons is that of the specification. */
export function judgeAlarm(
  instruction: StandingInstruction,
  { alarm, writtenUnder, openedAtS, nowS }: AlarmFacts
): AlarmVerdict {
  const isMeant =
    writtenUnder != null &&
    instruction.gateways.some(each => equalBytes(each, writtenUnder)) &&
    alarm.severity === 'high' &&
    !alarm.isRetracted
  if (!isMeant) return refused('not-meant')
  if (nowS >= instruction.untilS) return refused('over')
  const atS = Math.floor(alarm.atMs / 1000)
  if (atS + FRESH_S < nowS || atS > nowS + SKEW_S) return refused('old')
  const { crew: named } = alarm
  const crew = named == null ? instruction.crews[0] : instruction.crews.find(each => equalBytes(each.address, named))
  if (crew == null) return refused('crew-unknown')
  if (openedAtS.filter(each => each > nowS - DAY_S).length >= instruction.perDay) return refused('too-often')
  return { isOpened: true, crew }
}

function refused(why: AlarmRefusal): AlarmVerdict {
  return { isOpened: false, why }
}
