/** Lines of a text file, plain or gzipped, however long the file is. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { SalusError } from '#core/error.ts'
import { isMissing } from '#gateway/adapters/files/missing.ts'

const MAX_LINE = 8192

/**
 * Reads lines; memory is bounded by a chunk and a line.
 *
 * @throws SalusError `RECORDING_MISSING` if there is no such file, `SIGNAL_TEXT` for a line without end or damaged gzip
 */
export async function* linesOf(path: string): AsyncIterable<string> {
  const file = createReadStream(path)
  const input = path.endsWith('.gz') ? pipeline(file, createGunzip(), () => undefined) : file
  let rest = ''
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array>) {
      const lines = (rest + Buffer.from(chunk).toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > MAX_LINE) throw new SalusError('SIGNAL_TEXT', 'Refused the recording: a line is too long.')
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
    }
  } catch (cause) {
    if (cause instanceof SalusError) throw cause
    if (isMissing(cause))
      throw new SalusError('RECORDING_MISSING', 'There is no such recording; check the path.', { cause })
    throw new SalusError('SIGNAL_TEXT', 'Refused the recording: it cannot be read to its end.', { cause })
  } finally {
    file.destroy()
  }
  if (rest !== '') yield rest
}
