/**
 * Waveforms around events: with nothing happening they are only held, and when something does, what was held before it and what
 * comes after it is sent in full (docs/specs/send-on-delta.md).
 */
import { sampleTimeMs, type WaveformSegment } from '#core/signal/segment.ts'

/** Most segments that are held, whatever the time before an event. */
export const MAX_HELD_SEGMENTS = 4096

/** How much belongs to an event. */
export interface EventWindowPolicy {
  readonly beforeMs: number
  readonly afterMs: number
}

/** What is held, and until when everything is sent; times are the device's. */
export interface EventWindow {
  readonly held: readonly WaveformSegment[]
  readonly openUntilMs: number | null
}

/** A window with nothing in it. */
export const CLOSED_WINDOW: EventWindow = { held: [], openUntilMs: null }

/** What is sent, and the window after it. */
export interface WindowStep {
  readonly send: readonly WaveformSegment[]
  readonly window: EventWindow
}

/** Takes in a segment, or segments of several channels of the same moment, and whether an event lies in it. */
export function stepWindow(
  { beforeMs, afterMs }: EventWindowPolicy,
  { held, openUntilMs }: EventWindow,
  segments: readonly WaveformSegment[],
  isEvent: boolean
): WindowStep {
  const endMs = Math.max(...segments.map(endOf), -Infinity)
  const until = isEvent ? endMs + afterMs : openUntilMs
  if (isEvent) return { send: [...held, ...segments], window: { held: [], openUntilMs: until } }
  const isOpen = (segment: WaveformSegment): boolean => until != null && segment.deviceTimeMs < until
  const send = segments.filter(isOpen)
  const kept = [...held, ...segments.filter(segment => !isOpen(segment))]
  const recent = kept.filter(segment => endOf(segment) > endMs - beforeMs)
  return {
    send,
    window: { held: recent.slice(-MAX_HELD_SEGMENTS), openUntilMs: send.length > 0 ? until : null }
  }
}

/** When a segment ends, on the device's clock. */
function endOf({ deviceTimeMs, samples, stream }: WaveformSegment): number {
  return deviceTimeMs + sampleTimeMs(samples.length, stream.rate)
}
