import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import { isKeyName } from '#core/tlog/signed-note.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'WITNESS_KEY'
const MAX_KEY_FILE_BYTES = 1024

/** Who a witness is. */
export interface WitnessIdentity {
  readonly name: string
  readonly signSeed: Uint8Array
}

/**
 * The identity in a witness's folder; made on first use, which names it.
 *
 * @throws SalusError `WITNESS_NAME` if a new one has no proper name, or a known one another; `WITNESS_KEY_*` if the file is damaged
 */
export async function loadOrCreateWitness(dataDir: string, name: string | undefined): Promise<WitnessIdentity> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, 'key')
  const stored = await readIfThere(path)
  if (stored != null) {
    const map = readMap(decodeCanonical(stored, { area: AREA, maxBytes: MAX_KEY_FILE_BYTES }), AREA, [
      'v',
      'name',
      'seed'
    ])
    const known = { name: readText(map['name'], AREA, 'name', 256), signSeed: readBytes(map['seed'], AREA, 'seed', 32) }
    if (name == null || name === known.name) return known
    throw new SalusError('WITNESS_NAME', 'This witness has another name; a name goes with a key for good.')
  }
  if (name == null || !isKeyName(name)) {
    throw new SalusError(
      'WITNESS_NAME',
      'Name the new witness: no spaces and no plus, for example witness.example/one.'
    )
  }
  const signSeed = new Uint8Array(randomBytes(32))
  await writeDurably(path, encodeCanonical({ v: 1, name, seed: signSeed }))
  return { name, signSeed }
}
