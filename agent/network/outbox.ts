/**
 * Sealed entries that wait for a node to take them, one file each, sealed once more under a key of the device: a stolen disk
 * does not tell whose record they belong to. What is here after a crash is handed in again; taking an entry twice changes nothing.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { utf8, toHex } from '#core/encoding/bytes.ts'
import { readBytes, readMap, readText } from '#core/encoding/shape.ts'
import { readVersion } from '#core/encoding/version.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { MAX_MESSAGE_BYTES } from '#core/network/envelope.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import type { OutgoingEntry } from '#agent/network/record.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'AGENT_OUTBOX'
const SALT = utf8('salus/agent-outbox/1')
const MAX_BLOB_BYTES = 300 << 20
const FILE_NAME = /^[0-9a-f]{32}$/

/** Entries that wait. Each call takes the seed of the device. */
export interface Outbox {
  /** On the disk when it resolves; gives the name it is kept under. */
  put(seed: Uint8Array, entry: OutgoingEntry): Promise<string>
  /** Puts an entry in the place of another in one step; on the disk when it resolves. */
  replace(seed: Uint8Array, name: string, entry: OutgoingEntry): Promise<void>
  names(): Promise<string[]>
  /** @throws SalusError `AGENT_OUTBOX_*`, `SEALED_*` if the file was altered */
  read(seed: Uint8Array, name: string): Promise<OutgoingEntry | undefined>
  remove(name: string): Promise<void>
}

/** Opens the outbox in a folder. */
export function createOutbox(
  { p, random }: { readonly p: Primitives; readonly random: Random },
  { folder }: { readonly folder: string }
): Outbox {
  const keyOf = (seed: Uint8Array): Uint8Array => p.hkdfSha256(seed, SALT, utf8('key'), 32)
  async function write(seed: Uint8Array, name: string, { message, blob }: OutgoingEntry): Promise<void> {
    const plaintext = encodeCanonical({ v: 1, message, cid: blob?.cid ?? '', blob: blob?.bytes ?? new Uint8Array() })
    const place = { key: keyOf(seed), salt: random(SALT_BYTES), context: utf8(name) }
    await writeDurably(join(folder, name), sealChunked(p, { ...place, plaintext }))
  }
  return {
    async put(seed, entry) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const name = toHex(random(16)).slice(2)
      await write(seed, name, entry)
      return name
    },
    replace: write,
    async names() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      return (await readdir(folder)).filter(name => FILE_NAME.test(name)).sort()
    },
    async read(seed, name) {
      const sealed = await readIfThere(join(folder, name))
      if (sealed == null) return undefined
      const bytes = openChunked(p, { key: keyOf(seed), context: utf8(name), sealed })
      return decodeOutgoing(bytes)
    },
    remove: async name => removeDurably(join(folder, name))
  }
}

function decodeOutgoing(bytes: Uint8Array): OutgoingEntry {
  const value = decodeCanonical(bytes, { area: AREA, maxBytes: MAX_BLOB_BYTES + MAX_MESSAGE_BYTES })
  readVersion(value, AREA)
  const map = readMap(value, AREA, ['v', 'message', 'cid', 'blob'])
  const cid = readText(map['cid'], AREA, 'cid', 128)
  const blob = readBytes(map['blob'], AREA, 'blob', { min: 0, max: MAX_BLOB_BYTES })
  const message = readBytes(map['message'], AREA, 'message', { min: 1, max: MAX_MESSAGE_BYTES })
  return { message, blob: cid === '' ? null : { cid, bytes: blob } }
}
