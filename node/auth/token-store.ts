/** Tokens, kept by their hash: whoever reads the disk cannot use them. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Clock, Random } from '#core/crypto/primitives.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { SCOPES, type Scope } from '#node/auth/scopes.ts'
import { openTable, type Database } from '#node/store/database.ts'
import { createSyncWriter } from '#node/store/sync-writer.ts'

const kept = z.strictObject({
  id: z.string(),
  holder: z.string(),
  label: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  issuedAtS: z.int(),
  expiresAtS: z.int()
})

/** What is known of a token; its text is known to whom it was given alone. */
export type TokenRecord = z.infer<typeof kept>

/** Tokens of a node. */
export interface TokenStore {
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Makes a token; it is on the disk when this resolves.
   *
   * @throws SalusError `AUTH_TOO_MANY`, `STORE_*`
   */
  issue(token: {
    readonly holder: string
    readonly label: string
    readonly scopes: readonly Scope[]
    readonly lifetimeS: number
  }): Promise<{ readonly token: string; readonly record: TokenRecord }>
  /** The record of a token that lives. */
  find(token: string): TokenRecord | undefined
  list(): readonly TokenRecord[]
  /**
   * Ends a token, for good when this resolves; false if there is none of that id. Where the disk refuses it, the token opens nothing while the
   * process lives, and the same call tries again.
   *
   * @throws SalusError `STORE_*`
   */
  revoke(id: string): Promise<boolean>
}

/** Most tokens of one holder that live at a time, and of all. */
const MAX_OF_HOLDER = 64
const MAX_TOKENS = 1_024
const TABLE = 'tokens'
const PREFIX = 'salus_'
const TOKEN = /^salus_[A-Za-z0-9_-]{43}$/

/** Tokens in a database. */
export function createTokenStore({
  db,
  clock,
  random
}: {
  readonly db: Database
  readonly clock: Clock
  readonly random: Random
}): TokenStore {
  const table = openTable(db, TABLE)
  const writer = createSyncWriter(db)
  const byHash = new Map<string, TokenRecord>()
  const isLive = ({ expiresAtS }: TokenRecord): boolean => clock() < expiresAtS * 1000

  /** Refused already, and not yet taken off the disk: a restart would have them live again. */
  const ending = new Map<string, TokenRecord>()
  /** Holders of tokens that are being written. */
  const coming: string[] = []

  function end(hash: string, record: TokenRecord): void {
    byHash.delete(hash)
    ending.set(hash, record)
  }

  /** Takes what ended off the disk, also what could not be taken off before. */
  async function settle(): Promise<void> {
    const hashes = [...ending.keys()]
    if (hashes.length === 0) return
    await writer.write(
      async changes => {
        for (const key of hashes) changes.push({ type: 'del', table, key })
        return Promise.resolve()
      },
      { frees: true }
    )
    for (const hash of hashes) ending.delete(hash)
  }

  /** Forgets what is over; it opens nothing whether or not it is on the disk. */
  async function sweep(): Promise<void> {
    for (const [hash, record] of byHash) if (!isLive(record)) end(hash, record)
    await settle()
  }

  return {
    async start() {
      for await (const [hash, bytes] of table.iterator()) {
        byHash.set(hash, kept.parse(JSON.parse(new TextDecoder().decode(bytes))))
      }
      // On a disk that takes nothing the node starts all the same.
      await sweep().catch(() => undefined)
    },
    async stop() {
      await writer.stop()
    },
    async issue({ holder, label, scopes, lifetimeS }) {
      await sweep()
      const holders = [...Array.from(byHash.values(), record => record.holder), ...coming]
      if (holders.length >= MAX_TOKENS || holders.filter(each => each === holder).length >= MAX_OF_HOLDER) {
        throw new SalusError('AUTH_TOO_MANY', 'This account has as many tokens as it may; revoke one.')
      }
      const token = `${PREFIX}${Buffer.from(random(32)).toString('base64url')}`
      const issuedAtS = Math.floor(clock() / 1000)
      const id = toHex(random(8)).slice(2)
      const record = { id, holder, label, scopes: [...scopes], issuedAtS, expiresAtS: issuedAtS + lifetimeS }
      const key = hashOf(token)
      // Counted before it is on the disk, or many at once would pass the bound together.
      coming.push(holder)
      try {
        await writer.write(async changes => {
          changes.push({ type: 'put', table, key, value: utf8(JSON.stringify(record)) })
          return Promise.resolve()
        })
        byHash.set(key, record)
      } finally {
        coming.splice(coming.indexOf(holder), 1)
      }
      return { token, record }
    },
    find(token) {
      const record = TOKEN.test(token) ? byHash.get(hashOf(token)) : undefined
      return record != null && isLive(record) ? record : undefined
    },
    list: () => [...byHash.values()].filter(isLive),
    async revoke(id) {
      const found = [...byHash, ...ending].find(([, record]) => record.id === id)
      if (found == null) return false
      // Refused from now on, whatever the disk says.
      end(...found)
      await settle()
      return true
    }
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
