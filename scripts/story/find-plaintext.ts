import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A place where a marker was found. */
export interface Finding {
  readonly file: string
  /** Its name. */
  readonly marker: string
}

/** The forms in which bytes may lie in a file: as they are, or written in base 64 or hexadecimal by some layer. */
function forms(marker: Uint8Array): Buffer[] {
  const bytes = Buffer.from(marker)
  // Base 64 depends on where the text starts in its group of three bytes; the ends that mix with neighbours are cut.
  const base64 = [0, 1, 2].map(shift => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return Buffer.from(text.slice(shift === 0 ? 0 : shift + 1, -1))
  })
  return [bytes, Buffer.from(bytes.toString('hex')), ...base64]
}

async function searchFile(
  file: string,
  markers: ReadonlyMap<string, readonly Buffer[]>,
  found: Finding[]
): Promise<void> {
  const overlap = Math.max(...[...markers.values()].flat().map(form => form.length))
  let carried = Buffer.alloc(0)
  for await (const chunk of createReadStream(file, { highWaterMark: 4 << 20 })) {
    const text = Buffer.concat([carried, chunk as Buffer])
    for (const [marker, all] of markers) {
      if (all.some(form => text.includes(form))) found.push({ file, marker })
    }
    carried = text.subarray(-overlap)
  }
}

/**
 * Searches every file below the folders for the markers, which are named.
 *
 * @returns one finding per file and marker; none is what the story wants
 */
export async function findPlaintext(
  folders: readonly string[],
  markers: Readonly<Record<string, Uint8Array>>
): Promise<Finding[]> {
  const wanted = new Map(Object.entries(markers).map(([name, marker]) => [name, forms(marker)]))
  const found: Finding[] = []
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await searchFile(join(entry.parentPath, entry.name), wanted, found)
    }
  }
  return found
}
