/** Tells peers that this node is there and what it pledges, and hears the same of others through any of them (docs/specs/pledge.md). */
import { peerIdFromString } from '@libp2p/peer-id'
import { isSalusError } from '#core/error.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { MAX_PLEDGE_S, signPledge } from '#core/placement/pledge.ts'
import {
  decodePledgesAnswer,
  decodePledgesRequest,
  encodePledgesAnswer,
  encodePledgesRequest,
  MAX_PLEDGES,
  MAX_PLEDGES_ANSWER_BYTES,
  MAX_PLEDGES_REQUEST_BYTES
} from '#core/placement/pledge-exchange.ts'
import { PENALTY } from '#node/network/bans.ts'
import { handleRequests, request, type AnswerComponents, type RequestProtocol } from '#node/network/request.ts'
import type { Members } from '#node/placement/members.ts'
import { openTable, type Database } from '#node/store/database.ts'

const PROTOCOL: RequestProtocol = {
  id: '/salus/pledge/1',
  maxRequestBytes: MAX_PLEDGES_REQUEST_BYTES,
  maxAnswerBytes: MAX_PLEDGES_ANSWER_BYTES,
  timeoutMs: 10_000
}

/** What telling and hearing need. */
export interface PledgesComponents extends AnswerComponents {
  readonly p: Primitives
  readonly clock: Clock
  readonly members: Members
  /** Keeps the number of the last pledge. */
  readonly db: Database
  /** Seed of the node's Ed25519 peer key. */
  readonly peerSeed: Uint8Array
}

/** What they are told. */
export interface PledgesInit {
  /** Network identifier, 32 bytes. */
  readonly networkId: Uint8Array
  /** Bytes that this node holds for others. */
  readonly pledgedBytes: number
  readonly operator: string
  readonly region: string
  /** Time between two pledges of this node, and between two rounds of asking, ms. */
  readonly everyMs: number
}

/** The service. */
export interface Pledges {
  start(): Promise<void>
  stop(): Promise<void>
}

/** Peers that are asked in one round; news reach everyone in a few. */
const ASKED = 3
const SEQUENCE = 'sequence'
const MAX_ADDRESSES = 4
const MAX_ADDRESS_BYTES = 128
/** Most answers of one peer in one round. */
const MAX_PAGES = 64
/** Most time for them, ms. */
const MAX_ASK_MS = 60_000

/** The `/salus/pledge/1` service of a node. */
export function createPledges(components: PledgesComponents, init: PledgesInit): Pledges {
  const { libp2p, p, clock, members, db, peerSeed, bans, log } = components
  const run = crypto.getRandomValues(new Uint8Array(8))
  const peerKey = p.ed25519PublicKey(peerSeed)
  /** How far each peer's news were heard. */
  const cursors = new Map<string, { run: Uint8Array; after: number }>()
  const stopping = new AbortController()
  const table = openTable(db, 'pledge')
  /** Number of the last pledge. */
  let sequence = 0
  let telling: Promise<void> = Promise.resolve()
  let rounds: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let unhandle: (() => Promise<void>) | undefined
  let turn = 0
  let waiting = false

  async function pledgeAnew(): Promise<void> {
    const nowMs = clock()
    // A clock that is set back must not make this node's word an old one. On the disk first, for the same after a start.
    sequence = Math.max(sequence + 1, nowMs)
    await table.put(SEQUENCE, utf8(String(sequence))).catch((error: unknown) => {
      log.warn({ err: error }, 'the number of a pledge could not be kept')
    })
    const addresses = libp2p.getMultiaddrs().map(address => address.bytes)
    const pledge = {
      network: init.networkId,
      peerKey,
      bytes: init.pledgedBytes,
      sequence,
      validUntilS: Math.floor(nowMs / 1_000) + MAX_PLEDGE_S,
      operator: init.operator,
      region: init.region,
      addresses: addresses.filter(({ length }) => length <= MAX_ADDRESS_BYTES).slice(0, MAX_ADDRESSES)
    }
    members.hear(signPledge(p, pledge, peerSeed))
  }

  /** However slow peers are to answer, this node is there; however slow its disk, one pledge is made at a time. */
  function pledgeSoon(): void {
    telling = telling
      .then(pledgeAnew)
      .catch((error: unknown) => log.error({ err: error }, 'this node could not pledge itself'))
  }

  async function ask(id: string): Promise<void> {
    const untilMs = clock() + MAX_ASK_MS
    for (let page = 0; page < MAX_PAGES && clock() < untilMs && !stopping.signal.aborted; page++) {
      const cursor = cursors.get(id) ?? { run: new Uint8Array(8), after: 0 }
      const { signal } = stopping
      const bytes = await request(libp2p, peerIdFromString(id), PROTOCOL, encodePledgesRequest(cursor), { signal })
      const answer = decodePledgesAnswer(bytes)
      // What has ended, or is of somebody whom the registry lists later, is nobody's fault; what was forged is.
      if (answer.pledges.some(pledge => members.hear(pledge) === 'forged')) {
        bans.penalise(id, PENALTY.garbage, 'PLEDGE_FORGED')
        return
      }
      cursors.set(id, { run: answer.run, after: answer.next })
      if (answer.pledges.length < MAX_PLEDGES) return
    }
  }

  async function round(): Promise<void> {
    const peers = libp2p.getPeers().map(String)
    for (const id of cursors.keys()) if (!peers.includes(id)) cursors.delete(id)
    const chosen = Array.from(
      { length: Math.min(ASKED, peers.length) },
      (_, i) => peers[(turn + i) % peers.length] ?? ''
    )
    turn += chosen.length
    await Promise.all(
      chosen.map(async id =>
        ask(id).catch((error: unknown) => {
          if (stopping.signal.aborted || isSalusError(error, 'PEER_PROTOCOL_UNKNOWN')) return
          if (isSalusError(error) && error.code.startsWith('PLEDGES_')) bans.penalise(id, PENALTY.garbage, error.code)
          log.debug({ err: error }, 'a peer told no pledges')
        })
      )
    )
  }

  /** At most one round waits while another one runs. */
  function roundSoon(): void {
    if (waiting) return
    waiting = true
    rounds = rounds
      .then(async () => {
        waiting = false
        await round()
      })
      .catch((error: unknown) => log.error({ err: error }, 'pledges could not be exchanged'))
  }

  return {
    async start() {
      unhandle = await handleRequests(components, PROTOCOL, {
        decode: decodePledgesRequest,
        answer: async asked => {
          const isOurs = Buffer.from(asked.run).equals(run)
          return Promise.resolve(
            encodePledgesAnswer({ run, ...members.newsAfter(isOurs ? asked.after : 0, MAX_PLEDGES) })
          )
        }
      })
      libp2p.addEventListener('peer:connect', roundSoon)
      sequence = Number(new TextDecoder().decode(await table.get(SEQUENCE)))
      await pledgeAnew()
      roundSoon()
      timer = setInterval(() => {
        pledgeSoon()
        roundSoon()
      }, init.everyMs)
    },
    async stop() {
      clearInterval(timer)
      libp2p.removeEventListener('peer:connect', roundSoon)
      stopping.abort()
      await rounds
      await telling
      await unhandle?.()
    }
  }
}
