/** What the rules of acceptance ask about earlier messages: an index of the message log, kept in step with it. */
import { CID } from 'multiformats/cid'
import type { Hex } from '#core/chain/events.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { revisionKey, rotationKey, type Accepted, type AcceptView } from '#core/network/accept.ts'
import type { AskedBlob } from '#core/placement/proof.ts'
import { openBlobWants, type BlobWants, type NamedBlob, type Rows } from '#node/assembly/blob-wants.ts'
import { openTable, type Database } from '#node/store/database.ts'

/** The index; its rows are written after the message, and made again from the log where a crash lost them. */
export interface AcceptIndex {
  readonly view: AcceptView
  /** Counts a message as taken before it is on the disk, so that two that exclude each other are never both taken. */
  reserve(accepted: Accepted): Reservation
  /** The index has every message up to this position; it may have some after it. */
  cursor(): number
  /** Whether it has the message at a position. */
  has(position: number): boolean
  /** Moves the cursor to a position: the messages before it that the index lacks are not in the log any more. */
  pass(position: number): Promise<void>
  /** Position of the grant's newest capsule. */
  capsulePosition(grantId: string): number | undefined
  /** Whether some accepted entry names the blob in this size. */
  names(blob: NamedBlob): boolean
  /** Largest size in which accepted entries name a blob; `undefined` if none does. Anyone who writes may name any size. */
  largestSize(cid: CID): Promise<number | undefined>
  /** Blobs that accepted entries name, after one of them, in the order of their CIDs. */
  blobs(after: NamedBlob | undefined, limit: number): Promise<PatientBlob[]>
  /** The patient of the first entry that named the blob in this size. */
  patientOf(blob: NamedBlob): Hex | undefined
  /** Patients of whose entries later ones name it as well: nobody takes a blob over by naming it. */
  otherPatientsOf(blob: NamedBlob): AsyncIterable<Hex>
  /** Has a blob brought here that is not here any more, or was not to be until now. */
  want(blob: PatientBlob): Promise<void>
  /** Blobs that are named but not here yet. */
  readonly wants: BlobWants
  /** Waits for what is being written. */
  stop(): Promise<void>
}

/** A blob, and the patient of the first entry that named it. */
export interface PatientBlob extends NamedBlob {
  readonly patient: Hex
}

/** What the index may be told. */
export interface AcceptIndexInit {
  /** Whether a blob that is named belongs on this node; every one unless told. */
  readonly keeps?: (blob: AskedBlob, patient: Hex) => boolean
}

/** A message that is being written. */
export interface Reservation {
  /** The message is in the log. `wantsBlob`: its blob is to be fetched. Where this fails, what was reserved stays so. */
  commit(position: number, wantsBlob: boolean): Promise<void>
  /** The message could not be written. */
  release(): void
}

const CURSOR = 'cursor'
/** Decimal digits of the largest safe integer. */
const SIZE_DIGITS = 16

/** Opens the index. */
export async function openAcceptIndex(
  db: Database,
  { keeps = () => true }: AcceptIndexInit = {}
): Promise<AcceptIndex> {
  const table = openTable(db, 'accept')
  await table.open()
  const wants = await openBlobWants(db)
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
  /** Positions after the cursor whose rows are on the disk: messages are not always indexed in their order. */
  const ahead = new Set<number>()
  const day = (key: string): number | undefined => {
    const text = read(key)
    return text == null ? undefined : Number(text)
  }

  /** Two capsules of a grant may be written in another order than they were judged in: the newest one stays. */
  function isOlderCapsule(accepted: Accepted): boolean {
    if (accepted.kind !== 'capsule') return false
    const stored = table.getSync(`capsule/${toHex(accepted.grantId)}`)
    return stored != null && Number(new TextDecoder().decode(stored)) > accepted.revision
  }

  /** Writes the rows of a message, and the cursor as far as no message is missing before it. */
  async function write(accepted: Accepted, rows: Rows, position: number, wantsBlob: boolean): Promise<void> {
    const cursor = cursorFrom(number(CURSOR), position)
    const all = isOlderCapsule(accepted) ? new Map<string, string>() : new Map(rows)
    all.set(CURSOR, String(cursor))
    if (accepted.kind === 'capsule' && all.size > 1) all.set(`capsule-at/${toHex(accepted.grantId)}`, String(position))
    let wanted: Rows = new Map()
    if (accepted.kind === 'entry') {
      const { patient, blob, sizeBytes } = accepted.header
      const named = { cid: blob.toString(), sizeBytes }
      const first = read(blobKey(named))
      if (first == null) all.set(blobKey(named), toHex(patient))
      else if (first !== toHex(patient)) all.set(`${otherPatientsPrefix(named)}${toHex(patient)}`, '')
      if (wantsBlob && keeps({ cid: blob, sizeBytes }, toHex(patient)))
        wanted = wants.rowsOf(toHex(patient), blob, sizeBytes)
    }
    try {
      const put = ([key, value]: readonly [string, string]) => ({ type: 'put' as const, key, value: utf8(value) })
      await table.batch([...all, ...wanted].map(put))
    } catch (error) {
      wants.takeBack(wanted)
      throw error
    }
    if (position > cursor) ahead.add(position)
    for (const done of ahead) if (done <= cursor) ahead.delete(done)
  }

  /** The cursor once the message at a position is there too. */
  function cursorFrom(cursor: number, position: number): number {
    let at = cursor
    while (at + 1 === position || ahead.has(at + 1)) at++
    return at
  }

  async function moveTo(position: number): Promise<void> {
    if (position <= number(CURSOR)) return
    const cursor = cursorFrom(position, position)
    await table.put(CURSOR, utf8(String(cursor)))
    for (const done of ahead) if (done <= cursor) ahead.delete(done)
  }

  /** One after the other: each reads the cursor that the last one wrote. */
  async function inTurn(work: () => Promise<void>): Promise<void> {
    writing = writing.catch(() => undefined).then(work)
    await writing
  }

  return {
    view: {
      revisionOf: header => read(`revision/${revisionKey(header)}`),
      retiredDay: (patient, tag) => day(retiredKey(patient, tag)),
      capsuleRevision: grantId => number(`capsule/${toHex(grantId)}`),
      isErased: (patient, name) => read(erasedKey(patient, name)) != null,
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
          await inTurn(async () => write(accepted, rows, position, wantsBlob))
          release()
        }
      }
    },
    cursor: () => number(CURSOR),
    has: position => position <= number(CURSOR) || ahead.has(position),
    pass: async position => inTurn(async () => moveTo(position)),
    capsulePosition: grantId => {
      const position = number(`capsule-at/${grantId}`)
      return position === 0 ? undefined : position
    },
    names: blob => table.getSync(blobKey(blob)) != null,
    async largestSize(cid) {
      const prefix = `blob/${cid.toString()}/`
      const [largest] = await table.keys({ gte: prefix, lt: `${prefix}~`, reverse: true, limit: 1 }).all()
      return largest == null ? undefined : Number(largest.slice(prefix.length))
    },
    async blobs(after, limit) {
      const range = { gt: after == null ? 'blob/' : blobKey(after), lt: 'blob/~', limit }
      const rows = await table.iterator(range).all()
      return rows.map(([key, patient]) => {
        const [, cid = '', size = ''] = key.split('/')
        return { cid, sizeBytes: Number(size), patient: new TextDecoder().decode(patient) as Hex }
      })
    },
    patientOf: blob => read(blobKey(blob)) as Hex | undefined,
    async *otherPatientsOf(blob) {
      const prefix = otherPatientsPrefix(blob)
      for await (const key of table.keys({ gt: prefix, lt: `${prefix}~` })) yield key.slice(prefix.length) as Hex
    },
    async want(blob) {
      const rows = wants.rowsOf(blob.patient, CID.parse(blob.cid), blob.sizeBytes)
      try {
        await table.batch([...rows].map(([key, value]) => ({ type: 'put' as const, key, value: utf8(value) })))
      } catch (error) {
        wants.takeBack(rows)
        throw error
      }
    },
    wants,
    async stop() {
      await writing.catch(() => undefined)
    }
  }
}

/** Rows of a message; `day` reads the day of a row that is there. */
function rowsOf(accepted: Accepted, day: (key: string) => number | undefined): Map<string, string> {
  switch (accepted.kind) {
    case 'entry':
      return new Map([[`revision/${revisionKey(accepted.header)}`, accepted.name]])
    case 'capsule':
      return new Map([[`capsule/${toHex(accepted.grantId)}`, String(accepted.revision)]])
    case 'erasure':
      return new Map(accepted.names.map(name => [erasedKey(accepted.patient, name), '']))
    case 'glass':
      return new Map()
    case 'rotation': {
      const rows = new Map([[`rotation/${rotationKey(accepted)}`, '']])
      for (const tag of accepted.retired) {
        const key = retiredKey(accepted.patient, tag)
        rows.set(key, String(Math.min(accepted.day, day(key) ?? accepted.day)))
      }
      return rows
    }
  }
}

/** Keys of one blob are in the order of their sizes. */
function blobKey({ cid, sizeBytes }: NamedBlob): string {
  return `blob/${cid}/${String(sizeBytes).padStart(SIZE_DIGITS, '0')}`
}

function otherPatientsPrefix({ cid, sizeBytes }: NamedBlob): string {
  return `blob-also/${cid}/${String(sizeBytes)}/`
}

function erasedKey(patient: Uint8Array, name: string): string {
  return `erased/${toHex(patient)}/${name}`
}

function retiredKey(patient: Uint8Array, tag: Uint8Array): string {
  return `retired/${toHex(patient)}/${toHex(tag)}`
}
