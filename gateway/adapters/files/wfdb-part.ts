/** Reads frames of one piece of a WFDB record: a header with its signal files. */
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { WfdbHeader, WfdbSignal } from '#core/signal/wfdb/header.ts'
import { bytesOfSamples, framesPerBlock, MISSING_SAMPLE, readSamples } from '#core/signal/wfdb/samples.ts'
import { isMissing } from '#gateway/adapters/files/missing.ts'

/** A piece that is open. */
export interface WfdbPart {
  readonly signals: readonly WfdbSignal[]
  /** Frames that the files hold, all or some of the signals; 0 where none of them is there. */
  readonly frames: number
  /** Samples of each signal for frames from `first` on; `MISSING_SAMPLE` beyond the end of a file. */
  read(first: number, frames: number): Promise<Int32Array[]>
  close(): Promise<void>
}

interface Group {
  readonly handle: FileHandle | undefined
  readonly format: number
  readonly byteOffset: number
  readonly frames: number
  /** Samples of a frame in this file. */
  readonly width: number
  readonly members: readonly { readonly index: number; readonly signal: WfdbSignal; readonly at: number }[]
}

/**
 * Opens the signal files of a header.
 *
 * @throws SalusError `WFDB_FORMAT` if their samples have a form that is not read here
 */
export async function openWfdbPart(folder: string, { signals }: WfdbHeader): Promise<WfdbPart> {
  const groups: Group[] = []
  try {
    for (const name of new Set(signals.map(signal => signal.file))) groups.push(await openGroup(folder, name, signals))
  } catch (error) {
    await Promise.all(groups.map(async group => group.handle?.close()))
    throw error
  }
  return {
    signals,
    frames: Math.max(0, ...groups.map(group => group.frames)),
    async read(first, frames) {
      const out = signals.map(signal => new Int32Array(frames * signal.samplesPerFrame).fill(MISSING_SAMPLE))
      for (const group of groups) await readGroup(group, first, frames, out)
      return out
    },
    async close() {
      await Promise.all(groups.map(async group => group.handle?.close()))
    }
  }
}

async function openGroup(folder: string, name: string | null, signals: readonly WfdbSignal[]): Promise<Group> {
  let width = 0
  const members = signals.flatMap((signal, index) => {
    if (signal.file !== name) return []
    const at = width
    width += signal.samplesPerFrame
    return [{ index, signal, at }]
  })
  const [first] = members
  const format = first?.signal.format ?? 16
  // Refuses an unknown form before anything is read.
  bytesOfSamples(format, 0)
  const handle = name == null ? undefined : await openIfThere(join(folder, name))
  const byteOffset = first?.signal.byteOffset ?? 0
  const bytes = handle == null ? 0 : Math.max(0, (await handle.stat()).size - byteOffset)
  const frames = Math.floor((2 * bytes) / bytesOfSamples(format, 2 * width))
  return { handle, format, byteOffset, frames, width, members }
}

async function readGroup(group: Group, first: number, frames: number, out: readonly Int32Array[]): Promise<void> {
  const { handle, format, byteOffset, width, members } = group
  if (handle == null) return
  const skew = Math.max(...members.map(member => member.signal.skew))
  // Samples of 12 bits begin on whole bytes only every other one.
  const block = framesPerBlock(format, width)
  const from = first - (first % block)
  const count = first - from + frames + skew
  const bytes = new Uint8Array(bytesOfSamples(format, count * width))
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, byteOffset + bytesOfSamples(format, from * width))
  const raw = readSamples(format, bytes.subarray(0, bytesRead), count * width)
  for (const { index, signal, at } of members) {
    const samples = out[index]
    if (samples == null) continue
    const { samplesPerFrame } = signal
    for (let frame = 0; frame < frames; frame++) {
      const begin = (first - from + frame + signal.skew) * width + at
      samples.set(raw.subarray(begin, begin + samplesPerFrame), frame * samplesPerFrame)
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
