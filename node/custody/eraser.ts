/** Erases entries that their patient wants gone, durably, and attests it (docs/specs/erasure.md). */
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { signAttestation } from '#core/custody/attestation.ts'
import { decodeErasure } from '#core/custody/erasure.ts'
import { equalBytes, toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { decodeMessage, entryKeyOf } from '#core/network/envelope.ts'
import { decodeEntry } from '#core/record/entry.ts'
import type { Acceptor } from '#node/assembly/acceptor.ts'
import type { Log } from '#node/log.ts'
import { openTable, type Database } from '#node/store/database.ts'
import type { MessageLog } from '#node/store/messages.ts'

/** What erasing needs. */
export interface EraserComponents {
  readonly p: Primitives
  readonly clock: Clock
  readonly db: Database
  readonly network: Uint8Array
  readonly messages: MessageLog
  readonly acceptor: Pick<Acceptor, 'onAccepted'>
  /** Seed of the node's Ed25519 peer key, which signs attestations. */
  readonly peerSeed: Uint8Array
  readonly log: Log
}

/** Erases what accepted erasures name. */
export interface Eraser {
  /** Finishes what a crash left unfinished, and begins to erase. */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * The attestation of an erasure.
   *
   * @param digest - SHA-256 of the encoded erasure, `0x…`
   * @throws SalusError `ERASURE_UNKNOWN` if this node has not erased it, or not yet
   */
  attestation(digest: string): Promise<Uint8Array>
}

/** Messages that are read at once in search of unfinished erasures. */
const PAGE = 256
const CURSOR = 'cursor'

/** Makes an eraser. */
export function createEraser(components: EraserComponents): Eraser {
  const { p, clock, db, network, messages, acceptor, peerSeed, log } = components
  const done = openTable(db, 'erasures')
  let unhear: (() => void) | undefined
  let working: Promise<void> | undefined
  let again = false
  let stopped = false

  /** Takes entries out of the log; returns how many were there. */
  async function erase(bytes: Uint8Array): Promise<number> {
    const { patient, entries } = decodeErasure(bytes, { network })
    const keys: string[] = []
    for (const cid of entries) {
      const key = entryKeyOf(cid)
      const record = await messages.getByKey(key)
      const message = record == null ? undefined : decodeMessage(record.bytes, network)
      // Whoever names others' entries erases nothing.
      if (message?.kind === 'entry' && equalBytes(decodeEntry(message.header).header.patient, patient)) keys.push(key)
    }
    await messages.erase(keys, patient)
    return keys.length
  }

  /**
   * Erases what the log's erasures name, from the last one on that is finished. All of a page share one rewriting of the files.
   *
   * @param afterCrash - what was taken out of the log may still be in the files
   */
  async function work(afterCrash: boolean): Promise<void> {
    let after = await cursor()
    for (;;) {
      const records = stopped ? [] : await messages.read(after, PAGE)
      if (records.length === 0) return
      const erased: { readonly erasure: Uint8Array; readonly had: number }[] = []
      for (const { position, bytes } of records) {
        const message = decodeMessage(bytes, network)
        if (message.kind === 'erasure') {
          erased.push({ erasure: p.sha256(message.erasure), had: await erase(message.erasure) })
        }
        after = position
      }
      // Whoever names what is not here costs nothing.
      if (erased.some(({ had }) => had > 0) || (afterCrash && erased.length > 0)) await messages.compact()
      const attested = erased.map(({ erasure, had }) => row(toHex(erasure), attest(erasure, had)))
      await db.batch([...attested, row(CURSOR, utf8(String(after)))], { sync: true })
      if (erased.length > 0) log.info({ erasures: erased.length }, 'entries were erased for their patients')
    }
  }

  const attest = (erasure: Uint8Array, had: number): Uint8Array =>
    signAttestation(p, { erasure, had, atMs: clock() }, peerSeed)
  const row = (key: string, value: Uint8Array) => ({ type: 'put' as const, sublevel: done, key, value })

  async function cursor(): Promise<number> {
    const stored = await done.get(CURSOR)
    return stored == null ? 0 : Number(new TextDecoder().decode(stored))
  }

  function workSoon(): void {
    again = true
    working ??= (async () => {
      while (again && !stopped) {
        again = false
        await work(false)
      }
    })()
      .catch((error: unknown) =>
        log.error({ err: error }, 'entries could not be erased; trying again with the next one')
      )
      .finally(() => {
        working = undefined
      })
  }

  return {
    async start() {
      // A node whose disk is full or whose log is damaged serves all the same.
      await work(true).catch((error: unknown) => {
        log.error({ err: error }, 'entries could not be erased; trying again with the next one')
      })
      unhear = acceptor.onAccepted(({ kind }) => {
        if (kind === 'erasure') workSoon()
      })
    },
    async stop() {
      stopped = true
      unhear?.()
      await working
    },
    async attestation(digest) {
      const stored = await done.get(digest)
      if (stored == null)
        throw new SalusError('ERASURE_UNKNOWN', 'This node has not erased this, or not yet; ask again soon.')
      return stored
    }
  }
}
