/** Which endpoint the chain is read from, and what the others say of its blocks. */
import { isSalusError, SalusError } from '#core/error.ts'
import { createChainRpc, type ChainRpc } from '#node/chain/chain-rpc.ts'
import type { Endpoint, Endpoints } from '#node/chain/endpoints.ts'
import type { Cursor } from '#node/chain/chain-index.ts'

/** The endpoint to read from for now. */
export interface Lead {
  readonly endpoint: Endpoint
  readonly rpc: ChainRpc
  /** Its newest block, or the newest one that as many endpoints speak of as must agree. */
  readonly headNumber: number
}

/** How many other endpoints have a block, and how many have another one under its number; the rest have none, or no say. */
export interface Votes {
  readonly same: number
  readonly other: number
  /** Those who have another one. */
  readonly differing: readonly Endpoint[]
}

/** Chooses, and asks around. */
export interface Leads {
  /**
   * The best endpoint that has got as far as the index, and not far behind others.
   *
   * @throws SalusError `CHAIN_QUORUM` if too few endpoints answer; with one endpoint, its own error
   */
  elect(atLeast: number): Promise<Lead>
  /** What endpoints other than the lead say of a block. */
  votes(lead: Lead, block: Pick<Cursor, 'number' | 'hash'>): Promise<Votes>
  /** The best endpoint but the lead that answers as far as is known; `undefined` without one. */
  second(lead: Lead): ChainRpc | undefined
}

/** What choosing may be told. */
export interface LeadsInit {
  /** Endpoints that must agree on a block. */
  readonly quorum: number
  readonly trustHeaders: boolean
}

/** Time that slower endpoints are given once enough have answered, ms. */
const PATIENCE_MS = 250
/** Blocks that a preferred endpoint may be behind another one. */
const MAX_LAG_BLOCKS = 2
const DISTRUSTED = 3
const RESTING = 2

/** Makes a chooser. */
export function createLeads(endpoints: Endpoints, { quorum, trustHeaders }: LeadsInit): Leads {
  const rpcs = new Map<Endpoint, ChainRpc>()
  const rpcOf = (endpoint: Endpoint): ChainRpc => {
    const rpc = rpcs.get(endpoint) ?? createChainRpc(endpoint, { checkHeaders: !trustHeaders })
    rpcs.set(endpoint, rpc)
    return rpc
  }
  let newestHead = 0

  return {
    async elect(atLeast) {
      const ranked = endpoints.ranked()
      const trusted = ranked.filter(({ health }) => health.rank() < DISTRUSTED)
      const awake = trusted.filter(({ health }) => health.rank() < RESTING)
      const asked = awake.length >= quorum ? awake : trusted.length >= quorum ? trusted : ranked
      const { answers, errors } = await firstAnswers(
        asked.map(async endpoint => {
          const headNumber = await rpcOf(endpoint).headNumber()
          endpoint.health.sawHead(headNumber)
          return { endpoint, headNumber }
        }),
        quorum
      )
      if (answers.length < quorum) {
        if (ranked.length === 1) throw errors[0]
        throw new SalusError('CHAIN_QUORUM', 'Too few of the RPC endpoints answer, or agree; see the status.', {
          cause: errors[0]
        })
      }
      const heads = answers.map(answer => answer.headNumber).sort((a, b) => b - a)
      newestHead = heads[0] ?? 0
      const ordered = asked.flatMap(one => answers.filter(({ endpoint }) => endpoint === one))
      const best = ordered.filter(({ endpoint }) => endpoint.health.rank() === ordered[0]?.endpoint.health.rank())
      const fresh = Math.max(...best.map(answer => answer.headNumber)) - MAX_LAG_BLOCKS
      const able = ordered.filter(answer => answer.headNumber >= atLeast)
      const lead = able.find(answer => answer.headNumber >= fresh) ?? able[0] ?? ordered[0]
      if (lead == null) throw new Error('there is no endpoint')
      const agreed = quorum === 1 ? lead.headNumber : Math.min(lead.headNumber, heads[quorum - 1] ?? 0)
      return { endpoint: lead.endpoint, rpc: rpcOf(lead.endpoint), headNumber: agreed }
    },
    async votes(lead, { number, hash }) {
      const others = endpoints.ranked().filter(({ health }, rank, all) => {
        return all[rank] !== lead.endpoint && health.rank() < RESTING && health.isMoving(newestHead)
      })
      const { answers } = await firstAnswers(
        others.map(async endpoint => {
          const header = await rpcOf(endpoint)
            .header(number)
            .catch((error: unknown) => {
              if (isSalusError(error, 'CHAIN_HEADER_FORGED')) endpoints.distrust(endpoint, error.code)
              throw error
            })
          return { endpoint, hash: header?.hash }
        }),
        others.length
      )
      const differing = answers.flatMap(answer =>
        answer.hash == null || answer.hash === hash ? [] : [answer.endpoint]
      )
      const same = answers.filter(answer => answer.hash === hash).length
      return { same, other: differing.length, differing }
    },
    second(lead) {
      const other = endpoints.ranked().find(one => one !== lead.endpoint && one.health.rank() < RESTING)
      return other == null ? undefined : rpcOf(other)
    }
  }
}

/** What was answered by the time all have, or soon after enough have. */
async function firstAnswers<T>(
  asked: readonly Promise<T>[],
  enough: number
): Promise<{ readonly answers: readonly T[]; readonly errors: readonly unknown[] }> {
  const answers: T[] = []
  const errors: unknown[] = []
  if (asked.length === 0) return { answers, errors }
  return new Promise(resolve => {
    let timer: NodeJS.Timeout | undefined
    const end = (): void => {
      clearTimeout(timer)
      resolve({ answers: [...answers], errors: [...errors] })
    }
    const settled = (): void => {
      if (answers.length + errors.length === asked.length) end()
      else if (answers.length >= enough) timer ??= setTimeout(end, PATIENCE_MS)
    }
    for (const one of asked) {
      one.then(
        answer => {
          answers.push(answer)
          settled()
        },
        (error: unknown) => {
          errors.push(error)
          settled()
        }
      )
    }
  })
}
