/** Links that are served to whoever has them, also while the vault is shut: the files are sealed, and the key is elsewhere. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { handleShl, type ShlServerRequest, type ShlServerResponse } from '#core/fhir/shl/handle.ts'
import { revokeLink, type ServedLink } from '#core/fhir/shl/served-link.ts'
import { decodeHostedState, encodeHostedState, type HostedState } from '#agent/links/link-state.ts'
import type { Log } from '#node/log.ts'
import { readIfThere, removeDurably, writeDurably } from '#node/store/durable-file.ts'

/** What serving needs. */
export interface LinkServerComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
}

/** The links of one folder. */
export interface LinkServer {
  /** Reads what is there. */
  start(): Promise<void>
  /** Takes a link in, with its one sealed file; on the disk when it resolves. */
  add(secret: string, state: HostedState, file: Uint8Array): Promise<string>
  list(): ReadonlyMap<string, HostedState>
  /** Ends a link and removes its file; on the disk when it resolves. @throws SalusError `SHL_UNKNOWN` */
  revoke(id: string): Promise<void>
  /** Answers one request; what it changed is on the disk before. */
  answer(secret: string, request: ShlServerRequest): Promise<Omit<ShlServerResponse, 'link'>>
}

/** So long after a link's end its file is of no use: what was claimed in time was fetched. */
const ENDED_S = 3_600
const CONTENT_TYPE = 'application/fhir+json'
const STATE_FILE = /^([0-9a-f]{32})\.link$/
const DEAD: ServedLink = {
  ...{ expiresAtS: 0, passcode: null, attemptsLeft: 0, claimsLeft: 0, isRevoked: true, fileCount: 0 },
  ...{ claims: [], tickets: [] }
}

/** Makes the server of a folder; who listens is another matter. */
export function createLinkServer(
  { p, random, clock, log }: LinkServerComponents,
  { folder }: { readonly folder: string }
): LinkServer {
  const states = new Map<string, HostedState>()
  let queue: Promise<unknown> = Promise.resolve()
  // A folder's listing does not tell the addresses.
  const idOf = (secret: string): string => toHex(p.sha256(utf8(secret))).slice(2, 34)
  const stateFile = (id: string): string => join(folder, `${id}.link`)
  const jweFile = (id: string): string => join(folder, `${id}.jwe`)

  async function alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = queue.then(act)
    queue = turn.catch(() => undefined)
    return turn
  }

  async function keep(id: string, state: HostedState): Promise<void> {
    await writeDurably(stateFile(id), encodeHostedState(state))
    states.set(id, state)
  }

  return {
    async start() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      for (const name of await readdir(folder)) {
        const id = STATE_FILE.exec(name)?.[1]
        if (id == null) continue
        try {
          const state = decodeHostedState((await readIfThere(join(folder, name))) ?? new Uint8Array())
          states.set(id, state)
          if (state.link.expiresAtS + ENDED_S < clock() / 1000) await removeDurably(jweFile(id))
        } catch (error) {
          if (!isSalusError(error)) throw error
          // Not served; the others are.
          log.error({ code: error.code }, 'the state of a link is damaged')
        }
      }
    },
    add: async (secret, state, file) =>
      alone(async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const id = idOf(secret)
        await writeDurably(jweFile(id), file)
        await keep(id, state)
        return id
      }),
    list: () => states,
    revoke: async id =>
      alone(async () => {
        const state = states.get(id)
        if (state == null) throw new SalusError('SHL_UNKNOWN', 'There is no such link here.')
        await keep(id, { ...state, link: revokeLink(state.link) })
        await removeDurably(jweFile(id))
      }),
    answer: async (secret, request) =>
      alone(async () => {
        const id = idOf(secret)
        const state = states.get(id)
        const jwe = state == null || state.link.isRevoked ? undefined : await readIfThere(jweFile(id))
        // What never was is answered as what has ended.
        const { link, url, isLongTerm } =
          jwe == null || state == null ? { link: DEAD, url: '', isLongTerm: false } : state
        const files = jwe == null ? [] : [{ contentType: CONTENT_TYPE, jwe }]
        const hosted = { link, url, isLongTerm, isDirect: false, files }
        const { link: next, ...answer } = handleShl(p, random, hosted, request, Math.floor(clock() / 1000))
        if (state != null && next !== link) await keep(id, { ...state, link: next })
        return answer
      })
  }
}
