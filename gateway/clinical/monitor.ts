/**
 * The clinical side of a gateway: judges readings as they come, before any of them waits for the disk, and hands out signed and sealed
 * alerts. All decisions are the engine's (core/clinical/engine.ts); this gives it time and keys.
 */
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { READING_FLAGS, type Reading } from '#core/batch/reading.ts'
import { signAlert } from '#core/clinical/alert.ts'
import { decodeEngine, encodeEngine, stateDigest } from '#core/clinical/engine-state-form.ts'
import {
  initialEngine,
  type AlertEvent,
  type EngineState,
  type Event,
  type Input,
  type Rules
} from '#core/clinical/engine-state.ts'
import { step } from '#core/clinical/engine.ts'
import type { LoggedInput } from '#core/clinical/log-form.ts'
import type { TrustedOrder } from '#core/clinical/order.ts'
import type { Cause } from '#core/clinical/rule-pack.ts'
import type { TrustedPack } from '#core/clinical/signed-rule-pack.ts'
import { vitalOf } from '#core/clinical/vital.ts'
import { sealAlert, type WatchKey } from '#core/clinical/watch-group.ts'

/** What a monitor needs. */
export interface MonitorComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
}

/** What it is told. */
export interface MonitorInit {
  /** 32 bytes each. */
  readonly gateway: Uint8Array
  readonly patient: Uint8Array
  /** Ed25519 seed of the gateway's key bundle. */
  readonly signSeed: Uint8Array
  readonly pack: TrustedPack
  readonly order: TrustedOrder | null
  /** Who is told: number of channels of each person, in order; not empty. */
  readonly chain: readonly number[]
  /** Those who watch; null where alerts stay on this machine. */
  readonly watch: WatchKey | null
  /** What {@link Monitor.snapshot} gave before a restart. */
  readonly snapshot?: Uint8Array
  /**
   * Called at once, before `take` or `act` returns, for everything that the engine says, in order. It must not throw and
   * must not wait: what it hands on goes into a bounded queue of its own.
   */
  readonly onEvent: (event: MonitorEvent) => void
  /** Called for all that the engine is told beside samples and time, and after how many samples: a replay needs it. */
  readonly onInput?: (input: LoggedInput, after: number) => void
}

/** What a monitor says: as the engine, an alert with its signed bytes, and those sealed to the group. */
export type MonitorEvent =
  Exclude<Event, AlertEvent> | (AlertEvent & { readonly signed: Uint8Array; readonly sealed: Uint8Array | null })

/** A monitor. */
export interface Monitor {
  /**
   * Judges readings in the order they came. Readings of a device's store (`historical`) get their flags and raise no alarm.
   *
   * @param atMs - when they came, the clock's time if it is left out; a replay faster than time names the recording's
   * @returns the same readings with what the quality gate adds to their flags
   */
  take(readings: readonly Reading[], atMs?: number): Reading[]
  /** Lets time pass; to be called about once a second, and harmless more often. */
  tick(atMs?: number): void
  /**
   * To be called once after a restart, when the readings that were journaled behind the snapshot have been taken again: what fell due since
   * is not made up for, and the time in between is told as a gap.
   */
  resume(atMs?: number): void
  /** A person acknowledges the alarm of a rule, switches a rule off, pauses the sound, or a receiver confirms an alert. */
  act(act: MonitorAct, atMs?: number): void
  /** A technical cause begins or ends. */
  technical(cause: Cause, isBad: boolean, atMs?: number): void
  /** The state, to be kept on the disk and handed to the next monitor. */
  snapshot(): Uint8Array
  /** What is decided upon now: scores, limits and conditions, in the order of the pack. */
  readonly state: EngineState
  /** SHA-256 of the snapshot. */
  digest(): Uint8Array
}

/** What people do. */
export type MonitorAct =
  | { readonly type: 'confirm'; readonly alert: Uint8Array; readonly person: number }
  | { readonly type: 'acknowledge'; readonly rule: string; readonly person: number }
  | { readonly type: 'pause'; readonly forMs: number }
  | { readonly type: 'off'; readonly rule: string; readonly forMs: number }

/** A clock that goes back by more than this is bad. */
const CLOCK_BACK_MS = 1000

/**
 * Makes a monitor. From a snapshot it goes on exactly there: the readings that were journaled behind it give the same alerts, with the
 * same ids, once more.
 *
 * @throws SalusError `CLINICAL_STATE_*` if the snapshot is damaged or of another pack
 */
export function createMonitor({ p, random, clock }: MonitorComponents, init: MonitorInit): Monitor {
  const { gateway, patient, pack, order, chain } = init
  const rules: Rules = { p, gateway, patient, trusted: pack, order, chain }
  let state = init.snapshot == null ? initialEngine(rules) : decodeEngine(rules, init.snapshot)

  const say = (event: Event): void => {
    if (event.type !== 'alert') {
      init.onEvent(event)
      return
    }
    const signed = signAlert(p, event.bytes, init.signSeed)
    init.onEvent({ ...event, signed, sealed: init.watch == null ? null : sealAlert(p, random, init.watch, signed) })
  }
  const feed = (input: Input): number => {
    if (input.type !== 'sample' && input.type !== 'time') init.onInput?.(input, state.sampleCount)
    const next = step(rules, state, input)
    // What is said may ask for the state, so that comes first.
    state = next.state
    next.events.forEach(say)
    return next.flags
  }
  const watchClock = (atMs: number): void => {
    if (atMs < state.nowMs - CLOCK_BACK_MS && !state.causes.includes('clockBad')) {
      feed({ type: 'technical', cause: 'clockBad', isBad: true, atMs })
    } else if (atMs > state.nowMs && state.causes.includes('clockBad')) {
      feed({ type: 'technical', cause: 'clockBad', isBad: false, atMs })
    }
  }
  const judge = (reading: Reading, atMs: number): Reading => {
    const { stream, mantissa, flags } = reading
    const value = vitalOf({ stream, mantissa })
    if (value == null || (flags & READING_FLAGS.historical) !== 0) return reading
    const added = feed({ type: 'sample', device: stream.device, ...value, flags, atMs })
    return added === 0 ? reading : { ...reading, flags: flags | added }
  }

  return {
    take(readings, atMs = clock()) {
      watchClock(atMs)
      return readings.map(reading => judge(reading, atMs))
    },
    tick(atMs = clock()) {
      watchClock(atMs)
      feed({ type: 'time', atMs })
    },
    resume(atMs = clock()) {
      feed({ type: 'resume', atMs })
      feed({ type: 'technical', cause: 'gap', isBad: true, atMs })
      feed({ type: 'technical', cause: 'gap', isBad: false, atMs })
    },
    act: (act, atMs = clock()) => void feed({ ...act, atMs }),
    technical: (cause, isBad, atMs = clock()) => void feed({ type: 'technical', cause, isBad, atMs }),
    snapshot: () => encodeEngine(state),
    digest: () => stateDigest(p, state),
    get state() {
      return state
    }
  }
}
