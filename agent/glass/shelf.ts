/**
 * Small documents of this device beside the vault, each in a file sealed under a key of the device: what emergencies need, and
 * what a person was told of. Nothing here is needed to restore a record.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '#core/encoding/bytes.ts'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import type { Keeper } from '#agent/vault/keeper.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const SALT = utf8('salus/agent-shelf/1')

/** How a document is written and read. */
export interface ShelfFormat<T> {
  /** Name of the file. */
  readonly name: string
  readonly encode: (value: T) => Uint8Array
  /** Of a file that is not there: what it is then. */
  readonly decode: (bytes: Uint8Array | undefined) => T
}

/** A document; its calls are made within `keeper.hold`. */
export interface ShelfDocument<T> {
  /** @throws SalusError `AGENT_LOCKED`, `SEALED_*` if the file was altered, and as the format's decoder */
  read(): Promise<T>
  /** Changes it, one change at a time; on the disk when it resolves. */
  update(change: (value: T) => T | Promise<T>): Promise<T>
}

/** A document in a folder. */
export function createShelfDocument<T>(
  { p, random, keeper }: { readonly p: Primitives; readonly random: Random; readonly keeper: Keeper },
  folder: string,
  { name, encode, decode }: ShelfFormat<T>
): ShelfDocument<T> {
  const path = join(folder, name)
  const context = utf8(name)
  const keyOf = (): Uint8Array => p.hkdfSha256(keeper.state().deviceSeed, SALT, context, 32)
  let queue: Promise<unknown> = Promise.resolve()

  async function read(): Promise<T> {
    const sealed = await readIfThere(path)
    return decode(sealed == null ? undefined : openChunked(p, { key: keyOf(), context, sealed }))
  }

  return {
    read,
    async update(change) {
      const turn = queue.then(async () => {
        const before = await read()
        const after = await change(before)
        if (after === before) return after
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const plaintext = encode(after)
        await writeDurably(path, sealChunked(p, { key: keyOf(), context, salt: random(SALT_BYTES), plaintext }))
        return after
      })
      queue = turn.catch(() => undefined)
      return turn
    }
  }
}
