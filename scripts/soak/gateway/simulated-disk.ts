/**
 * A disk in memory whose power can be cut at any step: what was not flushed survives in part, a file that is being replaced is the old
 * or the new one, and now and then a bit rots.
 */
import { basename, dirname } from 'node:path'
import type { AppendFile, GatewayDisk } from '#gateway/disk.ts'

/** Whole numbers from 0, below `bound`. */
export type Draw = (bound: number) => number

/** The disk, and the hand on its switch. */
export interface SimulatedDisk extends GatewayDisk {
  /** Cuts the power at the `steps`-th step from now; everything fails from there on. */
  cutAfter(steps: number): void
  /** Whether the power is off. */
  isCut(): boolean
  /** Switches it on again, with what a real disk could hold then. */
  restore(): void
  /** Flips one bit of a file of which the name matches; false where there is none. */
  rot(name: RegExp): boolean
}

interface StoredFile {
  /** On the disk for good. */
  flushed: Uint8Array
  /** Written, and in the disk's cache. */
  cached: Uint8Array[]
}

/** Makes an empty disk. */
export function createSimulatedDisk(draw: Draw): SimulatedDisk {
  const files = new Map<string, StoredFile>()
  let stepsLeft = Infinity

  /** One step; true if the power goes in the middle of it. */
  function step(): boolean {
    if (stepsLeft <= 0) throw new Error('the power is off')
    return --stepsLeft <= 0
  }
  const off = (): never => {
    throw new Error('the power was cut')
  }
  const contentOf = ({ flushed, cached }: StoredFile): Uint8Array => Buffer.concat([flushed, ...cached])

  function openFile(path: string): AppendFile {
    const file = files.get(path) ?? { flushed: new Uint8Array(), cached: [] }
    files.set(path, file)
    return {
      read: async () => {
        step()
        return Promise.resolve(contentOf(file))
      },
      truncate: async length => {
        if (step()) off()
        file.flushed = contentOf(file).slice(0, length)
        file.cached = []
        return Promise.resolve()
      },
      append: async parts => {
        const isCut = step()
        const bytes = Buffer.concat(parts)
        file.cached.push(isCut ? bytes.subarray(0, draw(bytes.length + 1)) : bytes)
        if (isCut) off()
        return Promise.resolve(bytes.length)
      },
      sync: async () => {
        if (step()) off()
        file.flushed = contentOf(file)
        file.cached = []
        return Promise.resolve()
      },
      close: async () => Promise.resolve()
    }
  }

  return {
    cutAfter: steps => void (stepsLeft = steps),
    isCut: () => stepsLeft <= 0,
    restore() {
      stepsLeft = Infinity
      for (const [path, file] of files) {
        const cached = Buffer.concat(file.cached)
        // What was in the cache reached the disk up to some byte; the block that was being written may hold anything.
        const kept = Buffer.from(cached.subarray(0, draw(cached.length + 1)))
        if (kept.length > 0 && draw(3) === 0) kept[kept.length - 1 - draw(Math.min(kept.length, 64))] = draw(256)
        file.flushed = Buffer.concat([file.flushed, kept])
        file.cached = []
        if (path.endsWith('.tmp')) files.delete(path)
      }
    },
    rot(name) {
      const found = [...files].filter(([path, { flushed }]) => name.test(basename(path)) && flushed.length > 0)
      const [, file] = found[draw(Math.max(found.length, 1))] ?? []
      if (file == null) return false
      const rotten = Uint8Array.from(file.flushed)
      const at = draw(rotten.length)
      rotten[at] = (rotten[at] ?? 0) ^ (1 << draw(8))
      file.flushed = rotten
      return true
    },
    makeFolder: async () => {
      step()
      return Promise.resolve()
    },
    names: async folder => {
      step()
      return Promise.resolve([...files.keys()].filter(path => dirname(path) === folder).map(path => basename(path)))
    },
    readIfThere: async path => {
      step()
      const file = files.get(path)
      return Promise.resolve(file == null ? undefined : contentOf(file))
    },
    writeDurably: async (path, bytes) => {
      const isCut = step()
      if (!isCut || draw(2) === 0) files.set(path, { flushed: Uint8Array.from(bytes), cached: [] })
      else files.set(`${path}.tmp`, { flushed: bytes.slice(0, draw(bytes.length + 1)), cached: [] })
      if (isCut) off()
      return Promise.resolve()
    },
    removeDurably: async path => {
      const isCut = step()
      if (!isCut || draw(2) === 0) files.delete(path)
      if (isCut) off()
      return Promise.resolve()
    },
    openAppend: async path => {
      step()
      return Promise.resolve(openFile(path))
    }
  }
}
