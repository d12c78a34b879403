/** Opens a recording of any form that is read here, and finds the form by itself (docs/specs/recordings.md). */
import { open } from 'node:fs/promises'
import type { Clock } from '#core/crypto/primitives.ts'
import { SalusError } from '#core/error.ts'
import { isStay } from '#core/signal/icu-text.ts'
import { numericMetric } from '#core/signal/labels.ts'
import { openEdf } from '#gateway/adapters/files/edf-file.ts'
import { createFileAdapter, type FileAdapter } from '#gateway/adapters/files/file-adapter.ts'
import { linesOf } from '#gateway/adapters/files/lines.ts'
import { isMissing } from '#gateway/adapters/files/missing.ts'
import { openNumerics, openStay } from '#gateway/adapters/files/numerics-file.ts'
import type { RecordedFile } from '#gateway/adapters/files/recorded.ts'
import { openText } from '#gateway/adapters/files/text-file.ts'
import { openWfdb } from '#gateway/adapters/files/wfdb-file.ts'

/** How a recording is opened and sent. */
export interface OpenRecordingInit {
  /** Name of the device in readings and segments. */
  readonly device: string
  /** 1 is real time, `Infinity` as fast as the gateway takes it. */
  readonly speed: number
  /** Samples per second of a file that does not tell. */
  readonly hertz?: number
}

/** A recording as a source of sensor data; nothing is read before `open`. */
export function openRecording(
  components: { readonly clock: Clock },
  path: string,
  init: OpenRecordingInit
): FileAdapter {
  const { device, speed, hertz } = init
  return createFileAdapter(components, { device, speed, openFile: async () => openRecordedFile(path, hertz ?? null) })
}

/**
 * Opens a file by what it begins with; only WFDB is known by the name of its header, `.hea`.
 *
 * @throws SalusError `RECORDING_MISSING`, `RECORDING_FORM` if it is of no form that is read here, and those of each form
 */
export async function openRecordedFile(path: string, fallbackHertz: number | null): Promise<RecordedFile> {
  if (path.endsWith('.hea')) return openWfdb(path)
  const head = await firstBytes(path)
  if (head[0] === 0xff || /^0 {7}/.test(String.fromCharCode(...head.subarray(0, 8)))) return openEdf(path)
  for await (const line of linesOf(path)) {
    if (isStay(line)) return openStay(path)
    const [first, ...others] = line.split(',').map(cell => cell.trim())
    if (first === 'Time [s]' && others.every(name => numericMetric(name) != null) && !path.endsWith('.gz')) {
      return openNumerics(path)
    }
    if (/[^\t\x20-\x7e]/.test(line)) break
    return openText(path, fallbackHertz)
  }
  throw new SalusError(
    'RECORDING_FORM',
    'This recording is of no form that is read here; see docs/specs/recordings.md.'
  )
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const handle = await open(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error
    throw new SalusError('RECORDING_MISSING', 'There is no such recording; check the path.')
  })
  try {
    const bytes = new Uint8Array(16)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
