/**
 * What every source of sensor data looks like to the gateway: files, Bluetooth, MQTT, constrained frames. A new kind of sensor is
 * one more implementation that passes the suite in test/gateway/adapters/conformance.ts.
 */
import type { Reading } from '#core/batch/reading.ts'
import type { WaveformSegment } from '#core/signal/segment.ts'

/** What arrived at one moment from one device. */
export interface Arrival {
  /** Name of the device at this gateway; the same as in the readings and segments. */
  readonly device: string
  /** Milliseconds since 1970 when the gateway received it. */
  readonly receivedAtMs: number
  /** Values; empty where only waveforms came. */
  readonly readings: readonly Reading[]
  /** Waveforms of the same moment, where the device has any. */
  readonly segments?: readonly WaveformSegment[]
  /** Where a source that can be read again goes on after this arrival (`FramesInit.from`); live sources have none. */
  readonly next?: number
  /** To be called once the arrival is on the disk, by sources that acknowledge to their sensor. */
  readonly acknowledge?: () => void
}

/** A device that a source could take data from. */
export interface FoundDevice {
  /** Name of the device at this gateway. */
  readonly device: string
  /** Kind of source, for example `ble` or `file`. */
  readonly kind: string
  /** What it measures, as MDC codes, as far as that is known before it is opened. */
  readonly mdc: readonly number[]
}

/** State of a source, for the health page and for technical alarms. Counters only; no values. */
export interface AdapterHealth {
  readonly state: 'closed' | 'open' | 'ended' | 'failed'
  /** Code of the error that ended it. */
  readonly failure?: string
  /** When the last arrival was handed on, milliseconds since 1970; null before the first. */
  readonly lastArrivalMs: number | null
  readonly arrivals: number
  /** Bytes or frames that were refused, by code. */
  readonly refused: Readonly<Record<string, number>>
  /** Arrivals lost because nobody took them in time; sources that can wait never lose any. */
  readonly dropped: number
  /** Arrivals that wait for the gateway, and how many may. */
  readonly queued: number
  readonly capacity: number
}

/** How frames are read. */
export interface FramesInit {
  /** Ends the frames, cleanly: the iteration just stops. */
  readonly signal: AbortSignal
  /** `next` of the last arrival that was taken in; from the beginning where there is none. */
  readonly from?: number
}

/** A source of sensor data. */
export interface SensorAdapter {
  /** Kind of the source, for example `file`. */
  readonly kind: string
  /** Devices that are there; ends by itself or with the signal. */
  discover(signal: AbortSignal): AsyncIterable<FoundDevice>
  /**
   * Prepares the source.
   *
   * @throws SalusError with the code of what is missing
   */
  open(): Promise<void>
  /**
   * Arrivals in order, one device's sequence numbers never going back. What the device sends that cannot be read is counted in
   * `health`, not thrown. The source waits while the gateway is busy, or drops and counts.
   *
   * @throws SalusError if the source cannot go on
   */
  frames(init: FramesInit): AsyncIterable<Arrival>
  /** Ends the frames and frees what was taken; may be called at any time, also twice. */
  close(): Promise<void>
  health(): AdapterHealth
}
