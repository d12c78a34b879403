/** A witness: cosigns the heads of logs that only grow. What it cosigned is on the disk before its signature leaves (docs/specs/cosignature.md). */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { readMap, readText } from '#core/encoding/shape.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { parseCheckpointNote, readCheckpointText, type LogKey } from '#core/tlog/checkpoint.ts'
import { cosign } from '#core/tlog/cosignature.ts'
import { decideWitness, type WitnessedHead } from '#core/tlog/witness.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

const AREA = 'WITNESS_STATE'
const MAX_STATE_BYTES = 32_768

/** What a witness needs. */
export interface WitnessComponents {
  readonly p: Primitives
  readonly clock: Clock
}

/** What it is told. */
export interface WitnessInit {
  readonly dataDir: string
  readonly name: string
  /** Seed of its Ed25519 key, which signs nothing else. */
  readonly signSeed: Uint8Array
  readonly logs: readonly LogKey[]
}

/** An answer as HTTP gives it. */
export interface WitnessAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** A running witness. */
export interface Witness {
  /** Answers one `add-checkpoint`; requests wait for each other, so that none is judged by a head that another replaces. */
  addCheckpoint(body: string): Promise<WitnessAnswer>
  /** The last checkpoint of a log that it cosigned, with its cosignature; the log by the SHA-256 of its origin in hexadecimal. */
  checkpoint(originHash: string): string | undefined
  /** Waits for what is under way and frees the folder. */
  close(): Promise<void>
}

const PLAIN = 'text/plain; charset=utf-8'

/**
 * Opens a witness over its folder, for this process alone until it is closed.
 *
 * @throws SalusError `WITNESS_IN_USE` while another has it open; `WITNESS_STATE` if what it kept of a log is damaged: it could sign a fork without knowing
 */
export async function openWitness({ p, clock }: WitnessComponents, init: WitnessInit): Promise<Witness> {
  const { dataDir, name, signSeed, logs } = init
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const lock = await lockFolder(dataDir)
  const hashOf = (origin: string): string => toHex(p.sha256(utf8(origin))).slice(2)
  const notes = new Map<string, string>()
  const heads = new Map<string, WitnessedHead>()
  try {
    for (const { origin } of logs) {
      const bytes = await readIfThere(join(dataDir, hashOf(origin)))
      if (bytes == null) continue
      const note = readKept(bytes, origin)
      notes.set(hashOf(origin), note)
      heads.set(origin, readCheckpointText(parseCheckpointNote(note).text))
    }
  } catch (error) {
    await lock.close()
    throw error
  }
  let turn: Promise<unknown> = Promise.resolve()

  async function judge(body: string): Promise<WitnessAnswer> {
    const decision = decideWitness(p, body, { logs, latest: origin => heads.get(origin) })
    if (decision.status === 409) {
      return { status: 409, type: 'text/x.tlog.size', body: `${String(decision.size)}\n` }
    }
    if (decision.status !== 200) return { status: decision.status, type: PLAIN, body: '' }
    const { note, checkpoint } = decision
    const { origin, size, root } = checkpoint
    const line = cosign(p, note.text, Math.floor(clock() / 1000), { name, signSeed })
    // The log's own signatures were checked; those of others are not kept.
    const kept = `${ownPart(body, origin)}${line}`
    await writeDurably(join(dataDir, hashOf(origin)), encodeCanonical({ v: 1, origin, note: kept }))
    heads.set(origin, { size, root })
    notes.set(hashOf(origin), kept)
    return { status: 200, type: PLAIN, body: line }
  }

  return {
    async addCheckpoint(body) {
      const answer = turn.then(async () => judge(body))
      turn = answer.catch(() => undefined)
      return answer
    },
    checkpoint: originHash => notes.get(originHash),
    async close() {
      await turn
      await lock.close()
    }
  }
}

/** LevelDB's own lock: two witnesses with one key could cosign two histories. */
async function lockFolder(dataDir: string): Promise<Database> {
  try {
    return await openDatabase(join(dataDir, 'lock'))
  } catch (cause) {
    if (!isSalusError(cause, 'STORE_LOCKED')) throw cause
    throw new SalusError('WITNESS_IN_USE', 'Another witness runs over this folder; stop it or name another.', { cause })
  }
}

/** The checkpoint of a request, with the log's own signature lines only. */
function ownPart(body: string, origin: string): string {
  const note = body.slice(body.indexOf('\n\n') + 2)
  const end = note.lastIndexOf('\n\n') + 2
  const own = note
    .slice(end)
    .split('\n')
    .filter(line => line.startsWith(`— ${origin} `))
  return `${note.slice(0, end)}${own.join('\n')}\n`
}

function readKept(bytes: Uint8Array, origin: string): string {
  try {
    const map = readMap(decodeCanonical(bytes, { area: AREA, maxBytes: MAX_STATE_BYTES }), AREA, [
      'v',
      'origin',
      'note'
    ])
    if (map['v'] === 1 && map['origin'] === origin) return readText(map['note'], AREA, 'note', MAX_STATE_BYTES)
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged()
}

function damaged(cause?: unknown): SalusError {
  return new SalusError(
    'WITNESS_STATE',
    'What the witness kept of a log is damaged; restore it or make a new witness.',
    {
      cause
    }
  )
}
