/** The number that each device counted up to, so that a number missing between two batches shows as one within a batch does. */
import { readList, readMap, readText, readUint } from '#core/encoding/shape.ts'
import { MAX_INTEGER, type Reading } from '#core/batch/reading.ts'

const AREA = 'JOURNAL'

/** Most devices that are remembered; those that were silent longest are forgotten. */
const MAX_DEVICES = 256

/** The last number of a device. */
export interface LastSequence {
  readonly device: string
  readonly sequence: number
}

/** The numbers after more readings, in the order of arrival; devices heard of last come last. */
export function lastSequencesAfter(before: readonly LastSequence[], readings: readonly Reading[]): LastSequence[] {
  const last = new Map(before.map(({ device, sequence }) => [device, sequence]))
  for (const { stream, sequence } of readings) {
    last.delete(stream.device)
    last.set(stream.device, sequence)
  }
  return [...last].slice(-MAX_DEVICES).map(([device, sequence]) => ({ device, sequence }))
}

/**
 * Reads them from a decoded record or snapshot.
 *
 * @throws SalusError `JOURNAL_SHAPE`
 */
export function readLastSequences(value: unknown): LastSequence[] {
  return readList(value, AREA, 'lastSequences', MAX_DEVICES, item => {
    const map = readMap(item, AREA, ['device', 'sequence'])
    return {
      device: readText(map['device'], AREA, 'device', 32),
      sequence: readUint(map['sequence'], AREA, 'sequence', MAX_INTEGER)
    }
  })
}
