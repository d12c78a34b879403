import { BaseBlockstore } from 'blockstore-core'
import { NotFoundError } from 'interface-store'
import all from 'it-to-buffer'
import { base32upper } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { isSalusError } from '#core/error.ts'
import { createBlockFiles, isBlock, type BlockFiles } from '#node/store/block-files.ts'
import { openTable, type Database, type Table } from '#node/store/database.ts'
import type { Disk } from '#node/store/disk.ts'
import { createSyncWriter, type SyncWriter } from '#node/store/sync-writer.ts'

/** Largest block kept in the database, in bytes; larger ones are files: LevelDB slows down on large values (decision 0004). */
export const MAX_SMALL_BLOCK_BYTES = 64 * 1024

/** Blocks that are deleted together. */
const DELETE_BATCH = 256

/** Small blocks that a scan reads at once. */
const SCAN_PAGE = 256

/** A block store that is opened before and stopped after whoever uses it. */
export interface DiskBlockstore extends BaseBlockstore {
  put(cid: CID, value: Parameters<BaseBlockstore['put']>[1]): Promise<CID>
  has(cid: CID): Promise<boolean>
  /** Deletes blocks in the order given, many with one flush of the disk. */
  deleteAll(cids: readonly CID[]): Promise<void>
  /** Reads and checks every block in turn; one that is damaged is taken out, so that it is fetched again. */
  scan(): AsyncGenerator<ScannedBlock>
  /** Removes what a crash left half-written. */
  start(): Promise<void>
  /** Waits for what is being written. */
  stop(): Promise<void>
}

/** A block that was read and checked. */
export interface ScannedBlock {
  /** With the codec of plain bytes: which one was put is not known. */
  readonly cid: CID
  readonly sizeBytes: number
  readonly where: 'database' | 'file'
  readonly damaged: boolean
}

/** A block in a walk over the whole store. */
type Pair = ReturnType<BaseBlockstore['getAll']> extends AsyncGenerator<infer T> | Generator<infer T> ? T : never

/** Where the blocks are kept. */
export interface BlockstoreInit {
  readonly db: Database
  /** Folder of the large blocks; made if it is not there. */
  readonly directory: string
  /** Watches the disk, where somebody does. */
  readonly disk?: Disk
}

/** The node's block store: small blocks in LevelDB, large ones in checksummed files; both on the disk when `put` resolves. */
export function createBlockstore({ db, directory, disk }: BlockstoreInit): DiskBlockstore {
  return new SplitBlockstore(
    openTable(db, 'blocks'),
    createSyncWriter(db, disk == null ? {} : { disk }),
    createBlockFiles(directory, { disk })
  )
}

class SplitBlockstore extends BaseBlockstore implements DiskBlockstore {
  readonly #small: Table
  readonly #writer: SyncWriter
  readonly #large: BlockFiles

  constructor(small: Table, writer: SyncWriter, large: BlockFiles) {
    super()
    this.#small = small
    this.#writer = writer
    this.#large = large
  }

  async start(): Promise<void> {
    await this.#large.start()
  }

  async stop(): Promise<void> {
    await this.#writer.stop()
  }

  override async put(cid: CID, value: Parameters<BaseBlockstore['put']>[1]): Promise<CID> {
    const bytes = value instanceof Uint8Array ? value : await all(value)
    const name = nameOf(cid)
    if (bytes.length > MAX_SMALL_BLOCK_BYTES) {
      await this.#large.put(name, bytes)
    } else {
      await this.#writer.write(changes => {
        changes.push({ type: 'put', table: this.#small, key: name, value: bytes })
        return Promise.resolve()
      })
    }
    return cid
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const name = nameOf(cid)
    const bytes = (await this.#small.get(name)) ?? (await this.#large.get(name))
    if (bytes == null) throw new NotFoundError()
    yield bytes
  }

  override async has(cid: CID): Promise<boolean> {
    const name = nameOf(cid)
    // Asked before each get and put: the key alone is read, never the value.
    return (await this.#small.has(name)) || (await this.#large.has(name))
  }

  override async delete(cid: CID): Promise<void> {
    const name = nameOf(cid)
    await this.#large.delete(name)
    await this.#writer.write(
      changes => {
        changes.push({ type: 'del', table: this.#small, key: name })
        return Promise.resolve()
      },
      { frees: true }
    )
  }

  async deleteAll(cids: readonly CID[]): Promise<void> {
    for (let from = 0; from < cids.length; from += DELETE_BATCH) {
      const names = cids.slice(from, from + DELETE_BATCH).map(nameOf)
      await Promise.all(names.map(async name => this.#large.delete(name)))
      await this.#writer.write(
        changes => {
          for (const key of names) changes.push({ type: 'del', table: this.#small, key })
          return Promise.resolve()
        },
        { frees: true }
      )
    }
  }

  async *scan(): AsyncGenerator<ScannedBlock> {
    // In pages: an iterator that is held for hours keeps the files of the database from being let go.
    for (let after = ''; ;) {
      const page = await this.#small.iterator({ gt: after, limit: SCAN_PAGE }).all()
      for (const [name, bytes] of page) {
        after = name
        const damaged = !isBlock(name, bytes)
        if (damaged) await this.delete(cidOf(name))
        yield { cid: cidOf(name), sizeBytes: bytes.length, where: 'database', damaged }
      }
      if (page.length < SCAN_PAGE) break
    }
    for await (const name of this.#large.names()) {
      let bytes: Uint8Array | undefined
      try {
        bytes = await this.#large.get(name)
      } catch (error) {
        if (!isSalusError(error, 'BLOCK_DAMAGED')) throw error
        yield { cid: cidOf(name), sizeBytes: 0, where: 'file', damaged: true }
        continue
      }
      if (bytes != null) yield { cid: cidOf(name), sizeBytes: bytes.length, where: 'file', damaged: false }
    }
  }

  /** Blocks are kept by multihash: the codec that was put is not known any more, so compare by multihash. */
  override async *getAll(): AsyncGenerator<Pair> {
    for await (const [name, bytes] of this.#small.iterator()) yield pairOf(name, bytes)
    for await (const name of this.#large.names()) {
      const bytes = await this.#large.get(name)
      if (bytes != null) yield pairOf(name, bytes)
    }
  }
}

/** Name of a block: its multihash in base32, so that one block has one name under every codec. */
function nameOf(cid: CID): string {
  return base32upper.encoder.encode(cid.multihash.bytes)
}

function cidOf(name: string): CID {
  return CID.createV1(raw.code, Digest.decode(base32upper.decoder.decode(name)))
}

function pairOf(name: string, block: Uint8Array): Pair {
  return {
    cid: cidOf(name),
    bytes: (function* () {
      yield block
    })()
  }
}
