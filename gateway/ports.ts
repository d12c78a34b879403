/** What the parts of a gateway need of each other: sources of readings, the monitor that judges them, who takes them in. */
import type { BatchRecord } from '#core/batch/record.ts'
import type { Reading } from '#core/batch/reading.ts'

/** What arrives at one moment from one source. */
export interface Arrival {
  /** Name of the source, at most 32 characters. */
  readonly source: string
  /** Where the source goes on after a restart, once this is durable; 0 for a source that keeps no place. */
  readonly next: number
  /** Milliseconds on the device's clock, by which time is cut into batches. */
  readonly deviceTimeMs: number
  /** When it is judged, milliseconds since 1970; a recording that is played faster than time says its own. The clock's time without it. */
  readonly atMs?: number
  readonly readings: readonly Reading[]
  /** What goes to the log as it is, such as pieces of waveforms. */
  readonly records?: readonly BatchRecord[]
}

/** A source that can begin anywhere, such as a recording; it is drawn from as fast as the disk takes it. */
export interface ReadingSource {
  /** Also the name of its device: a damaged journal is recovered by it. */
  readonly name: string
  /** Arrivals from a place on; ends with the source or with the signal. */
  arrivals(from: number, signal: AbortSignal): AsyncIterable<Arrival>
}

/** Takes an arrival in; resolves once it is durable, and only then may its sender be told so. */
export type Accept = (arrival: Arrival) => Promise<void>

/** A source that brings arrivals when they come, such as a link to sensors, and acknowledges them to whoever sent them. */
export interface LiveSource {
  start(accept: Accept): Promise<void>
  stop(): Promise<void>
}

/** How much a patient is at risk, as far as the gateway's rules can tell. */
export type Risk = 'routine' | 'medium' | 'high'

/** What the monitor made of readings. */
export interface Judged {
  /** The same readings, in order, with the flags that it set. */
  readonly readings: readonly Reading[]
  /** What it noticed, for the log. */
  readonly records: readonly BatchRecord[]
}

/** Judges readings before they reach the disk: it has sent its alarms when `take` returns. */
export interface MonitorPort {
  take(readings: readonly Reading[], nowMs: number): Judged
  /** Lets time pass where no readings come. */
  tick(nowMs: number): Judged
  risk(): Risk
  /** When it last raised an alarm of high priority, milliseconds since 1970; null if never. */
  lastHighAlertMs(): number | null
  /** Its state, to go on from after a restart; at most 1 MiB. */
  snapshot(): Uint8Array
}

/** Makes the monitor of a patient, once it is known who that is; from what it remembered, where there is something. */
export type MakeMonitor = (init: {
  readonly patient: Uint8Array
  readonly snapshot: Uint8Array | undefined
}) => MonitorPort

/** A monitor that judges nothing. */
export const NO_MONITOR: MonitorPort = {
  take: readings => ({ readings, records: [] }),
  tick: () => ({ readings: [], records: [] }),
  risk: () => 'routine',
  lastHighAlertMs: () => null,
  snapshot: () => new Uint8Array()
}
