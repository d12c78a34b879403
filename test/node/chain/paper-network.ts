import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SalusError } from '#core/error.ts'
import { createEndpoints } from '#node/chain/endpoints.ts'
import { createFollower, type Follower, type FollowerInit } from '#node/chain/follower.ts'
import type { RpcTransport } from '#node/chain/http-rpc.ts'
import { openDatabase, openTable, type Database } from '#node/store/database.ts'
import { paperChainDeployment, type PaperChain } from '#scripts/bench/node/paper-chain.ts'
import { paperEndpoint, type Instead } from '#test/node/chain/paper-endpoint.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

/** An endpoint over a chain on paper that a test turns. */
export interface PaperPeer {
  /** What it answers from. */
  chain: PaperChain
  /** Newest block that it speaks of, and that it has. */
  head: number
  isAway: boolean
  /** What it answers instead. */
  instead: Instead
  readonly transport: RpcTransport
}

/** Followers over such endpoints, with one database. */
export interface PaperNetwork {
  /** Time that the endpoints' clock is ahead, ms. */
  aheadMs: number
  /** Starts a follower; one that runs is stopped before. */
  follow(peers: readonly PaperPeer[], init?: FollowerInit): Promise<Follower>
  /** Begins to start one, which may have to wait. */
  begin(peers: readonly PaperPeer[], init?: FollowerInit): Promise<Follower>
  /** Rows of the index whose keys begin so. */
  rows(prefix: string): Promise<string[]>
  stop(): Promise<void>
}

/** Waits for something a follower will do. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5)
}

/** Makes an endpoint, honest until it is told otherwise. */
export function paperPeer(chain: PaperChain, name: string, head: number = chain.head): PaperPeer {
  const peer: PaperPeer = {
    chain,
    head,
    isAway: false,
    instead: () => undefined,
    transport: {
      name,
      async post(payload) {
        if (peer.isAway) throw new SalusError('CHAIN_UNREACHABLE', 'It is away.')
        return paperEndpoint(peer.chain, name, (method, params, answer) => {
          const given = peer.instead(method, params, answer)
          if (given !== undefined) return given
          if (method === 'eth_blockNumber') return `0x${peer.head.toString(16)}`
          return method === 'eth_getBlockByNumber' && Number(params[0]) > peer.head ? { result: null } : undefined
        }).post(payload)
      },
      close: () => undefined
    }
  }
  return peer
}

/** Opens a database for followers. */
export async function startPaperNetwork(): Promise<PaperNetwork> {
  const dir = await mkdtemp(join(tmpdir(), 'salus-paper-'))
  const db: Database = await openDatabase(join(dir, 'db'))
  let follower: Follower | undefined
  let starting: Promise<void> | undefined

  async function begin(peers: readonly PaperPeer[], init: FollowerInit = {}): Promise<Follower> {
    await follower?.stop()
    await starting?.catch(() => undefined)
    const transports = peers.map(({ transport }) => transport)
    const endpoints = createEndpoints({ transports, clock: () => Date.now() + network.aheadMs, log: silentLog })
    const [provider] = endpoints.ranked()
    if (provider == null) throw new Error('no endpoint')
    const components = { provider, endpoints, deployment: paperChainDeployment(), db, log: silentLog }
    follower = createFollower(components, { pollMs: 5, maxBackoffMs: 20, compareMs: 5, stallMs: 50, ...init })
    starting = follower.start()
    starting.catch(() => undefined)
    return follower
  }

  const network: PaperNetwork = {
    aheadMs: 0,
    begin,
    async follow(peers, init) {
      const begun = await begin(peers, init)
      await starting
      return begun
    },
    async rows(prefix) {
      const rows: string[] = []
      for await (const [key, value] of openTable(db, 'chain').iterator({ gte: prefix, lt: `${prefix}~` })) {
        rows.push(`${key} ${new TextDecoder().decode(value)}`)
      }
      return rows
    },
    async stop() {
      await follower?.stop()
      await starting?.catch(() => undefined)
      await db.close()
      await rm(dir, { recursive: true, force: true })
    }
  }
  return network
}
