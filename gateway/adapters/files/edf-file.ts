/** An EDF, EDF+ or BDF recording as moments of one data record each (docs/specs/recordings.md). */
import { open } from 'node:fs/promises'
import { SalusError } from '#core/error.ts'
import { edfHeaderBytes, parseEdfHeader, type EdfHeader } from '#core/signal/edf/header.ts'
import { readEdfRecord } from '#core/signal/edf/record.ts'
import { ucumOf } from '#core/signal/labels.ts'
import { waveformMetric } from '#core/signal/metrics.ts'
import { isMissing } from '#gateway/adapters/files/missing.ts'
import {
  MAX_GAPS,
  type RecordedChannel,
  type RecordedFile,
  type RecordedGap
} from '#gateway/adapters/files/recorded.ts'

const FIRST_BYTES = 256

/**
 * Opens a recording.
 *
 * @throws SalusError `EDF_HEADER`, `EDF_TRAILING`; `RECORDING_MISSING` if there is no such file
 */
export async function openEdf(path: string): Promise<RecordedFile> {
  const handle = await open(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error
    throw new SalusError('RECORDING_MISSING', 'There is no such recording; check the path.')
  })
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(length)
    const { bytesRead } = await handle.read(bytes, 0, length, position)
    return bytes.subarray(0, bytesRead)
  }
  let header: EdfHeader
  let records: number
  try {
    header = parseEdfHeader(await read(0, edfHeaderBytes(await read(0, FIRST_BYTES))))
    const dataBytes = (await handle.stat()).size - header.headerBytes
    const there = Math.floor(dataBytes / header.recordBytes)
    // Whoever rewrote the file as text made it longer: none of its samples could be trusted.
    if (header.records >= 0 && dataBytes > header.records * header.recordBytes) {
      throw new SalusError('EDF_TRAILING', 'Refused the recording: it is longer than its header says.')
    }
    // A recording that was cut off has fewer records than it says, one that was never closed says −1.
    records = header.records < 0 ? there : header.records
  } catch (error) {
    await handle.close()
    throw error
  }
  const { headerBytes, recordBytes, recordMs, isDiscontinuous, signals } = header
  const channels = signals.map(channelOf)
  const gaps: RecordedGap[] = []
  const addGap = (fromMs: number, toMs: number, reason: RecordedGap['reason']): void => {
    if (gaps.length < MAX_GAPS && !gaps.some(gap => gap.fromMs === fromMs)) gaps.push({ fromMs, toMs, reason })
  }
  return {
    form: 'edf',
    mdc: channels.flatMap(channel => (channel == null ? [] : [channel.metric.mdc])),
    gaps,
    async *moments(from) {
      let lastEndMs: number | null = null
      for (let index = Math.max(0, from); index < records; index++) {
        const bytes = await read(headerBytes + index * recordBytes, recordBytes)
        if (bytes.length < recordBytes) {
          addGap(index * recordMs, records * recordMs, 'missing')
          return
        }
        const record = readEdfRecord(header, bytes)
        const timeMs = isDiscontinuous ? (record.onsetMs ?? index * recordMs) : index * recordMs
        if (lastEndMs != null && timeMs > lastEndMs) addGap(lastEndMs, timeMs, 'apart')
        lastEndMs = timeMs + recordMs
        yield {
          index,
          timeMs,
          values: [],
          samples: record.samples.flatMap((samples, i) => {
            const channel = channels[i]
            if (channel == null) return []
            // Where records lie apart, the numbers of the samples leave the hole too.
            const first = isDiscontinuous
              ? Math.round((timeMs * channel.rate.samples) / channel.rate.ms)
              : index * samples.length
            return [{ channel, first, samples }]
          })
        }
      }
    },
    async close() {
      await handle.close()
    }
  }
}

function channelOf({ label, units, rate, scale, isAnnotations }: EdfHeader['signals'][number]): RecordedChannel | null {
  // Labels are padded with dots in some recordings, and begin with the kind of signal in EDF+: "EEG Fpz-Cz".
  const name = label.replace(/\.+$/, '')
  const kind = /^(ECG|EMG|EEG) /.exec(name)?.[1] ?? name
  return isAnnotations ? null : { label: name, metric: waveformMetric(kind, ucumOf(units)), rate, scale }
}
