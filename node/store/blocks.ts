import { BaseBlockstore } from 'blockstore-core'
import { NotFoundError } from 'interface-store'
import all from 'it-to-buffer'
import { base32upper } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { SalusError, isSalusError } from '#core/error.ts'
import { createBlockFiles, judgeBlock, type BlockFiles } from '#node/store/block-files.ts'
import { createDamagedBlocks, type DamagedBlocks } from '#node/store/damaged-blocks.ts'
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
  /** Reads and checks every block in turn; one that is damaged is noted as such, and stays where it is. */
  scan(): AsyncGenerator<ScannedBlock>
  /** Blocks that are noted as damaged, or as lost to a backup: they are missing until they are put again. With the codec of plain bytes. */
  damaged(): readonly CID[]
  /** Notes a block as damaged that somebody else read. */
  noteDamaged(cid: CID): Promise<void>
  /** Reads a block that is noted as damaged once more; where it is well after all, the note is gone and this true. */
  recheck(cid: CID): Promise<boolean>
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
  const writer = createSyncWriter(db, disk == null ? {} : { disk })
  return new SplitBlockstore(
    openTable(db, 'blocks'),
    writer,
    createBlockFiles(directory, { disk }),
    createDamagedBlocks(db, writer)
  )
}

class SplitBlockstore extends BaseBlockstore implements DiskBlockstore {
  readonly #small: Table
  readonly #writer: SyncWriter
  readonly #large: BlockFiles
  readonly #damaged: DamagedBlocks

  constructor(small: Table, writer: SyncWriter, large: BlockFiles, damaged: DamagedBlocks) {
    super()
    this.#small = small
    this.#writer = writer
    this.#large = large
    this.#damaged = damaged
  }

  async start(): Promise<void> {
    await this.#large.start()
    await this.#damaged.start()
  }

  async stop(): Promise<void> {
    await this.#writer.stop()
  }

  override async put(cid: CID, value: Parameters<BaseBlockstore['put']>[1]): Promise<CID> {
    const bytes = value instanceof Uint8Array ? value : await all(value)
    const name = nameOf(cid)
    if (bytes.length > MAX_SMALL_BLOCK_BYTES) {
      await this.#large.put(name, bytes)
      await this.#forgetDamage([name])
    } else {
      const wasDamaged = this.#damaged.has(name)
      await this.#writer.write(changes => {
        changes.push({ type: 'put', table: this.#small, key: name, value: bytes })
        if (wasDamaged) changes.push(this.#damaged.forget(name))
        return Promise.resolve()
      })
      if (wasDamaged) this.#damaged.forgot(name)
    }
    return cid
  }

  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const name = nameOf(cid)
    const bytes = this.#damaged.has(name) ? undefined : await this.#read(name)
    if (bytes == null) throw new NotFoundError()
    yield bytes
  }

  /** The bytes of a block; one that turns out damaged is noted, so that the next reader has it fetched. */
  async #read(name: string): Promise<Uint8Array | undefined> {
    const { bytes, isDamaged } = await this.#look(name)
    if (!isDamaged) return bytes
    // Counted at once; a disk that takes no note of it either is for the next scrub to tell.
    await this.#damaged.note(name).catch(() => undefined)
    throw new SalusError('BLOCK_DAMAGED', 'A stored block was damaged on the disk; it is fetched again from a peer.')
  }

  async #look(name: string): Promise<{ readonly bytes?: Uint8Array; readonly isDamaged: boolean }> {
    const small = await this.#small.get(name)
    if (small != null) return { bytes: small, isDamaged: judgeBlock(name, small) === 'damaged' }
    try {
      const large = await this.#large.get(name)
      return { ...(large == null ? {} : { bytes: large }), isDamaged: false }
    } catch (error) {
      if (isSalusError(error, 'BLOCK_DAMAGED')) return { isDamaged: true }
      throw error
    }
  }

  override async has(cid: CID): Promise<boolean> {
    const name = nameOf(cid)
    // Asked before each get and put: the key alone is read, never the value.
    return !this.#damaged.has(name) && ((await this.#small.has(name)) || (await this.#large.has(name)))
  }

  override async delete(cid: CID): Promise<void> {
    await this.deleteAll([cid])
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
      await this.#forgetDamage(names)
    }
  }

  async #forgetDamage(names: readonly string[]): Promise<void> {
    const noted = names.filter(name => this.#damaged.has(name))
    if (noted.length === 0) return
    await this.#writer.write(
      changes => {
        changes.push(...noted.map(name => this.#damaged.forget(name)))
        return Promise.resolve()
      },
      { frees: true }
    )
    for (const name of noted) this.#damaged.forgot(name)
  }

  damaged(): readonly CID[] {
    return this.#damaged.names().map(cidOfName)
  }

  async noteDamaged(cid: CID): Promise<void> {
    await this.#damaged.note(nameOf(cid))
  }

  async recheck(cid: CID): Promise<boolean> {
    const name = nameOf(cid)
    const { bytes, isDamaged } = await this.#look(name)
    if (bytes == null || isDamaged) return false
    await this.#forgetDamage([name])
    return true
  }

  async *scan(): AsyncGenerator<ScannedBlock> {
    // In pages: an iterator that is held for hours keeps the files of the database from being let go.
    for (let after = ''; ;) {
      const page = await this.#small.iterator({ gt: after, limit: SCAN_PAGE }).all()
      for (const [name, bytes] of page) {
        after = name
        // Looked at once more: it may have been put or deleted since the page was read.
        const damaged = judgeBlock(name, bytes) === 'damaged' && (await this.#look(name)).isDamaged
        yield await this.#scanned(name, 'database', bytes, damaged)
      }
      if (page.length < SCAN_PAGE) break
    }
    for await (const name of this.#large.names()) {
      const { bytes, isDamaged } = await this.#look(name)
      if (bytes != null || isDamaged) yield await this.#scanned(name, 'file', bytes, isDamaged)
    }
  }

  async #scanned(
    name: string,
    where: ScannedBlock['where'],
    bytes: Uint8Array | undefined,
    damaged: boolean
  ): Promise<ScannedBlock> {
    if (damaged) await this.#damaged.note(name)
    else await this.#forgetDamage([name])
    return { cid: cidOfName(name), sizeBytes: bytes?.length ?? 0, where, damaged }
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

/** A block of this name, with the codec of plain bytes. */
export function cidOfName(name: string): CID {
  return CID.createV1(raw.code, Digest.decode(base32upper.decoder.decode(name)))
}

function pairOf(name: string, block: Uint8Array): Pair {
  return {
    cid: cidOfName(name),
    bytes: (function* () {
      yield block
    })()
  }
}
