/** The agent as a process: one for each home folder, answering on this computer only, shut when nobody uses it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { base64url } from 'multiformats/bases/base64'
import type { ScryptCost } from '#core/crypto/scrypt.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { createAgent, type AgentInit } from '#agent/agent.ts'
import { createAgentApp } from '#agent/api/app.ts'
import { TOKEN_FILE, URL_FILE } from '#agent/home-files.ts'
import { createGlassShelf } from '#agent/glass/glass.ts'
import type { AgentWorld } from '#agent/components.ts'
import { createFhirParts } from '#agent/fhir-record/parts.ts'
import { createPublicApp } from '#agent/links/public-app.ts'
import { createOutbox } from '#agent/network/outbox.ts'
import { createJournals } from '#agent/record/journal.ts'
import { createKeeper, type KeeperStatus } from '#agent/vault/keeper.ts'
import { createHttpServer } from '#node/http/server.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { removeDurably, writeDurably } from '#node/store/durable-file.ts'

/** What a daemon may be told. */
export interface DaemonInit extends AgentInit {
  /** Folder of vault, outbox and token. */
  readonly home: string
  /** An address of this computer's own. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** The vault is shut after this time without a request; 0 for never. */
  readonly autoLockS: number
  readonly nodeUrl: string
  /** Where links are served to everybody; nowhere if absent. */
  readonly share?: { readonly host: string; readonly port: number; readonly url: string }
  readonly version: string
  /** Work of a new passphrase; the usual unless told. */
  readonly cost?: ScryptCost
}

/** Where a daemon listens. */
export interface DaemonReady {
  readonly url: string
  /** File of the token, for its owner's eyes only. */
  readonly tokenFile: string
  readonly state: KeeperStatus
}

/** A running agent. */
export interface Daemon {
  /** @throws SalusError `STORE_LOCKED` while another agent has the folder; `HTTP_LISTEN_FAILED` */
  start(): Promise<DaemonReady>
  /** Finishes what is under way, forgets the keys and ends. */
  stop(): Promise<void>
}

const TOKEN_BYTES = 32
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000
const LOOK_MS = 500
/** For so long a node may keep a question about news. */
const LISTEN_MS = 5_000

/** Makes a daemon; nothing happens before `start()`. */
export function createDaemon(world: AgentWorld, init: DaemonInit): Daemon {
  const { p, random, clock, log } = world
  const { home, host, port, autoLockS } = init
  const keeper = createKeeper(world, { home, ...(init.cost == null ? {} : { cost: init.cost }) })
  const outbox = createOutbox({ p, random }, { folder: join(home, 'outbox') })
  const journals = createJournals({ p, random }, { home })
  const claimed = createOutbox({ p, random }, { folder: join(home, 'claimed') })
  const shelf = createGlassShelf({ ...world, keeper }, { folder: home })
  const agent = createAgent({ ...world, keeper, outbox, journals, claimed, shelf }, init)
  const token = base64url.baseEncode(random(TOKEN_BYTES))
  let lastUseMs = clock()
  const fhir = createFhirParts(agent, { home, ...(init.share == null ? {} : { shareUrl: init.share.url }) })
  const publicServer =
    init.share == null
      ? undefined
      : createHttpServer({ app: createPublicApp({ links: fhir.linkServer, log }), log }, init.share)
  const app = createAgentApp(agent, { ...init, fhir, token, onRequest: () => (lastUseMs = clock()) })
  const server = createHttpServer({ app, log }, { host, port })
  let lock: Database | undefined
  let watch: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let retryMs = FIRST_RETRY_MS
  let listening = 0

  /** Takes up what was under way, and again with growing pauses while something waits. */
  async function resume(): Promise<void> {
    let waiting = 1
    try {
      waiting = await keeper.hold(async () => agent.operations.resume())
      await look()
    } catch (error) {
      if (isSalusError(error, 'AGENT_LOCKED')) return
      // The message of an error that is not ours may hold what was sent.
      log.error({ code: isSalusError(error) ? error.code : 'INTERNAL' }, 'what was under way could not be taken up')
    }
    retryMs = waiting === 0 ? LONGEST_RETRY_MS : Math.min(2 * retryMs, LONGEST_RETRY_MS)
    schedule()
  }

  async function resumeImports(): Promise<void> {
    try {
      await keeper.hold(async () => fhir.imports.resume())
    } catch (error) {
      if (isSalusError(error, 'AGENT_LOCKED')) return
      log.error({ code: isSalusError(error) ? error.code : 'INTERNAL' }, 'imports could not be taken up')
    }
  }

  /** A node or a chain that is away for a while is no reason not to go on. */
  async function look(): Promise<void> {
    await keeper
      .hold(async () => agent.look())
      .catch((error: unknown) => {
        if (!isSalusError(error) || error.code === 'AGENT_LOCKED') throw error
        log.warn({ code: error.code }, 'emergencies could not be looked at')
      })
  }

  /** Looks at once when a record on guard has something new; a round ends with the next change of the vault. */
  async function listen(round: number): Promise<void> {
    while (round === listening) {
      let pauseMs = 0
      try {
        const heard = await agent.guard.wait(LISTEN_MS)
        if (heard === 'news') await resume()
        else if (heard === 'off') pauseMs = LISTEN_MS
      } catch (error) {
        if (!isSalusError(error)) log.error({ code: 'INTERNAL' }, 'the record could not be listened to')
        pauseMs = LISTEN_MS
      }
      if (pauseMs > 0) await pause(pauseMs, undefined, { ref: false })
    }
  }

  function schedule(): void {
    clearTimeout(retry)
    retry = setTimeout(() => void resume(), retryMs)
    retry.unref()
  }

  keeper.onChange(status => {
    log.info({ status }, 'the vault changed')
    clearTimeout(retry)
    retryMs = FIRST_RETRY_MS
    listening++
    if (status !== 'unlocked') return
    setImmediate(() => void Promise.all([resume(), resumeImports()]))
    void listen(listening)
  })

  function lockWhenIdle(): void {
    if (clock() - lastUseMs < autoLockS * 1000) return
    keeper.lock().catch((error: unknown) => log.error({ err: error }, 'the vault could not be locked'))
  }

  return {
    async start() {
      await mkdir(home, { recursive: true, mode: 0o700 })
      // A lock that the system frees when the process ends, however it ends.
      lock = await openDatabase(join(home, 'lock'))
      await mkdir(join(home, 'outbox'), { recursive: true, mode: 0o700 })
      await fhir.linkServer.start()
      await publicServer?.start()
      const url = await server.start()
      const tokenFile = join(home, TOKEN_FILE)
      await writeDurably(tokenFile, utf8(token))
      await writeDurably(join(home, URL_FILE), utf8(url))
      if (autoLockS > 0) {
        watch = setInterval(lockWhenIdle, LOOK_MS)
        watch.unref()
      }
      return { url, tokenFile, state: await keeper.status() }
    },
    async stop() {
      clearInterval(watch)
      clearTimeout(retry)
      await publicServer?.stop()
      await server.stop()
      await fhir.imports.stop()
      await keeper.lock()
      await journals.close()
      clearTimeout(retry)
      if (lock == null) return
      await removeDurably(join(home, TOKEN_FILE))
      await lock.close()
    }
  }
}
