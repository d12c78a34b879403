/** What the rules of acceptance ask about earlier messages: an index of the message log, kept in step with it. */
import type { CID } from 'multiformats/cid'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { revisionKey, rotationKey, type Accepted, type AcceptView } from '#core/network/accept.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** A blob that an accepted entry names. */
export interface NamedBlob {
  readonly cid: string
  readonly sizeBytes: number
}

/** The index; its rows are written after the message, and made again from the log where a crash lost them. */
export interface AcceptIndex {
  readonly view: AcceptView
  /** Counts a message as taken before it is on the disk, so that two that exclude each other are never both taken. */
  reserve(accepted: Accepted): Reservation
  /** Position of the newest message that is in the index. */
  cursor(): number
  /** Position of the grant's newest capsule. */
  capsulePosition(grantId: string): number | undefined
  /** Size of a blob that some accepted entry names; `undefined` if none does. */
  blobSize(cid: CID): number | undefined
  /** Blobs that are named but not here yet. */
  wanted(): Promise<NamedBlob[]>
  /** The blob is here, or will never be. */
  unwant(cid: string): Promise<void>
  /** Waits for what is being written. */
  stop(): Promise<void>
}

/** A message that is being written. */
export interface Reservation {
  /** The message is in the log. `wantsBlob`: its blob is to be fetched. */
  commit(position: number, wantsBlob: boolean): Promise<void>
  /** The message could not be written. */
  release(): void
}

const CURSOR = 'cursor'

/** Opens the index. */
export async function openAcceptIndex(db: Database): Promise<AcceptIndex> {
  const table = openTable(db, 'accept')
  await table.open()
  /** Rows on their way to the disk. */
  const overlay = new Map<string, string>()
  let writing: Promise<void> = Promise.resolve()

  const read = (key: string): string | undefined => {
    const reserved = overlay.get(key)
    if (reserved != null) return reserved
    const bytes = table.getSync(key)
    return bytes == null ? undefined : new TextDecoder().decode(bytes)
  }
  const number = (key: string): number => Number(read(key) ?? 0)
  const day = (key: string): number | undefined => {
    const text = read(key)
    return text == null ? undefined : Number(text)
  }

  /** One after the other: the cursor must not overtake the rows of an earlier message. */
  async function write(rows: ReadonlyMap<string, string>): Promise<void> {
    const operations = Array.from(rows, ([key, value]) => ({ type: 'put' as const, key, value: utf8(value) }))
    writing = writing.catch(() => undefined).then(async () => table.batch(operations))
    return writing
  }

  return {
    view: {
      revisionOf: header => read(`revision/${revisionKey(header)}`),
      retiredDay: (patient, tag) => day(retiredKey(patient, tag)),
      capsuleRevision: grantId => number(`capsule/${toHex(grantId)}`),
      hasRotation: rotation => read(`rotation/${rotationKey(rotation)}`) != null
    },
    reserve(accepted) {
      const rows = rowsOf(accepted, day)
      for (const [key, value] of rows) overlay.set(key, value)
      const release = (): void => {
        for (const [key, value] of rows) if (overlay.get(key) === value) overlay.delete(key)
      }
      return {
        release,
        async commit(position, wantsBlob) {
          const all = new Map(rows).set(CURSOR, String(position))
          if (accepted.kind === 'capsule') all.set(`capsule-at/${toHex(accepted.grantId)}`, String(position))
          if (accepted.kind === 'entry') {
            const { blob, sizeBytes } = accepted.header
            all.set(`blob/${blob.toString()}`, String(sizeBytes))
            if (wantsBlob) all.set(`want/${blob.toString()}`, String(sizeBytes))
          }
          await write(all)
          release()
        }
      }
    },
    cursor: () => number(CURSOR),
    capsulePosition: grantId => {
      const position = number(`capsule-at/${grantId}`)
      return position === 0 ? undefined : position
    },
    blobSize: cid => {
      const size = read(`blob/${cid.toString()}`)
      return size == null ? undefined : Number(size)
    },
    async wanted() {
      const rows = await table.iterator({ gte: 'want/', lt: 'want/~', limit: 1_000 }).all()
      return rows.map(([key, value]) => ({
        cid: key.slice('want/'.length),
        sizeBytes: Number(new TextDecoder().decode(value))
      }))
    },
    async unwant(cid) {
      await table.del(`want/${cid}`)
    },
    async stop() {
      await writing.catch(() => undefined)
    }
  }
}

function rowsOf(accepted: Accepted, day: (key: string) => number | undefined): Map<string, string> {
  switch (accepted.kind) {
    case 'entry':
      return new Map([[`revision/${revisionKey(accepted.header)}`, accepted.name]])
    case 'capsule':
      return new Map([[`capsule/${toHex(accepted.grantId)}`, String(accepted.revision)]])
    case 'rotation':
      return new Map([
        [`rotation/${rotationKey(accepted)}`, '1'],
        // Where two rotations retire one tag, the earlier day counts.
        ...accepted.retired.map(tag => {
          const key = retiredKey(accepted.patient, tag)
          return [key, String(Math.min(accepted.day, day(key) ?? accepted.day))] as const
        })
      ])
  }
}

function retiredKey(patient: Uint8Array, tag: Uint8Array): string {
  return `retired/${toHex(patient)}/${toHex(tag)}`
}
