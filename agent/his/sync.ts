/** Brings the record up to date with a hospital's server, and remembers until when (docs/specs/his-sync.md). */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { importJWK, type JWK } from 'jose'
import { concat, toHex, utf8 } from '#core/encoding/bytes.ts'
import { textOf } from '#core/encoding/text.ts'
import { SalusError } from '#core/error.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import type { AgentComponents } from '#agent/components.ts'
import { syncFromHis, type HisSyncInit, type HisSyncResult, type Spool } from '#agent/fhir/his-sync.ts'
import type { HisClient } from '#agent/fhir/his-token.ts'
import type { Imports } from '#agent/imports/imports.ts'
import type { ImportProgress } from '#agent/imports/progress.ts'
import { readSpool, writeSpool } from '#agent/imports/spool.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

/** What is asked of a hospital's server. */
export interface HisWish extends Pick<HisSyncInit, 'from' | 'types'> {
  readonly client: Omit<HisClient, 'key'>
  /** Private key whose public half the hospital has registered. */
  readonly key: JWK
  /** Everything, whatever was brought before. */
  readonly all: boolean
}

/** Synchronises. */
export type HisSync = (wish: HisWish) => Promise<HisSyncResult & { readonly imports: readonly ImportProgress[] }>

const SALT = utf8('salus/agent-his/1')
/** What a crash left. */
const SPOOL = /\.spool(?:\.tmp)?$/
const MAX_WAIT_MS = 540_000

/** Makes the service of a folder. */
export function createHisSync(
  components: AgentComponents & { readonly imports: Imports },
  { folder }: { readonly folder: string }
): HisSync {
  const { p, random, clock, keeper, imports } = components
  let isClean = false
  const seedCopy = async (): Promise<Uint8Array> =>
    keeper.hold(async () => Promise.resolve(keeper.state().deviceSeed.slice()))

  /** Under a name that tells nothing of the hospital. */
  function fileOf(seed: Uint8Array, { client, from }: HisWish) {
    const key = p.hkdfSha256(seed, SALT, utf8('key'), 32)
    const context = utf8(JSON.stringify([client.base, client.clientId, from]))
    return { key, context, path: join(folder, toHex(p.hmacSha256(key, concat(SALT, context))).slice(2, 34)) }
  }

  function spoolIn(seed: Uint8Array): Spool {
    return {
      async keep(bytes) {
        const path = join(folder, `${toHex(random(16)).slice(2)}.spool`)
        await writeSpool({ p, random }, path, seed, bytes)
        return { open: readSpool(p, path, seed), remove: async () => removeDurably(path) }
      }
    }
  }

  return async wish => {
    const seed = await seedCopy()
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      if (!isClean) for (const name of await readdir(folder)) if (SPOOL.test(name)) await rm(join(folder, name))
      isClean = true
      const { path, ...place } = fileOf(seed, wish)
      const sealed = wish.all ? undefined : await readIfThere(path)
      const since = sealed == null ? null : (textOf(openChunked(p, { ...place, sealed })) ?? null)
      const client = { ...wish.client, key: await keyOf(wish) }
      const world = {
        ...{ fetch, clock, random, jitter: Math.random, spool: spoolIn(seed) },
        sleep: async (ms: number, signal?: AbortSignal) => pause(ms, undefined, signal == null ? {} : { signal })
      }
      const taken: ImportProgress[] = []
      const init = { client, from: wish.from, types: wish.types, maxWaitMs: MAX_WAIT_MS }
      const result = await syncFromHis(world, init, { since }, async source => {
        taken.push(await keeper.hold(async () => imports.take(source(), { server: wish.client.base })))
      })
      const plaintext = utf8(result.state.since ?? '')
      // What was brought is on the disk by now, and is written by itself.
      await writeDurably(path, sealChunked(p, { ...place, salt: random(SALT_BYTES), plaintext }))
      return { ...result, imports: taken }
    } finally {
      seed.fill(0)
    }
  }
}

async function keyOf({ key, client }: HisWish): Promise<HisClient['key']> {
  const refused = new SalusError('HIS_KEY', 'The key is no private JWK of the algorithm that was named.')
  try {
    const imported = await importJWK(key, client.algorithm)
    if (imported instanceof Uint8Array || imported.type !== 'private') throw refused
    return imported
  } catch {
    throw refused
  }
}
