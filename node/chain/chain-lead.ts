/** Which endpoint the chain is read from, and what the others say of its blocks; who is believed is decided in core/chain/agreement.ts. */
import { agreedHead, paceOf, isCertain, judge, type Answer, type Verdict } from '#core/chain/agreement.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { createChainRpc, type BlockTag, type ChainRpc } from '#node/chain/chain-rpc.ts'
import type { Endpoint, Endpoints } from '#node/chain/endpoints.ts'
import type { Cursor } from '#node/chain/chain-index.ts'

/** An endpoint with the questions to it. */
export interface Source {
  readonly endpoint: Endpoint
  readonly rpc: ChainRpc
}

/** The endpoint to read from for now. */
export interface Lead extends Source {
  /** Its newest block, or the newest one that as many endpoints speak of as must agree. */
  readonly headNumber: number
}

/** What the others make of a block of the lead. */
export interface Opinion {
  readonly verdict: Verdict
  /** Those who have another one under its number. */
  readonly differing: readonly Endpoint[]
}

/** Chooses, and asks around. */
export interface Leads {
  /** Whether there is but one endpoint, which nobody can gainsay. */
  readonly isSole: boolean
  /**
   * The best endpoint that has got as far as the index, and not far behind what is agreed.
   *
   * @throws SalusError `CHAIN_QUORUM` if too few endpoints answer; with one endpoint, its own error
   */
  elect(atLeast: number): Promise<Lead>
  /**
   * What all endpoints come to about a block of the lead.
   *
   * @param isThorough - wait also for those who can change nothing about it
   */
  poll(lead: Source, block: Cursor, isThorough?: boolean): Promise<Opinion>
  /**
   * Numbers of the blocks that endpoints know by a name; `null` of one that knows none.
   *
   * @throws SalusError as {@link Leads.elect}
   */
  named(tag: BlockTag): Promise<(number | null)[]>
  /** Whether endpoints agree on a block whose header does not hash to its hash: then it is no lie. */
  areRulesUnknown(number: number): Promise<boolean>
  /** The endpoints to compare with, the best first: all that answer and were not caught at a lie. */
  others(lead: Source): readonly Source[]
  /** Ends trust in an endpoint that was compared with, if its failure is a lie. */
  noteFailure(of: Source, error: unknown): void
}

/** What choosing may be told. */
export interface LeadsInit {
  /** Endpoints that must agree on a block. */
  readonly quorum: number
  readonly trustHeaders: boolean
}

/** Time that slower endpoints are given once enough have answered, ms. */
const PATIENCE_MS = 250
/** Blocks that a preferred endpoint may be behind what is agreed. */
const MAX_LAG_BLOCKS = 2
const DISTRUSTED = 3
const RESTING = 2
/** Codes of what only an endpoint that lies, or is broken, gives. */
const LIES: readonly string[] = ['CHAIN_HEADER_FORGED', 'CHAIN_LOGS_FORGED', 'CHAIN_LOG_MALFORMED']

/** Makes a chooser. */
export function createLeads(endpoints: Endpoints, { quorum, trustHeaders }: LeadsInit): Leads {
  const rpcs = new Map<Endpoint, ChainRpc>()
  const rpcOf = (endpoint: Endpoint): ChainRpc => {
    const rpc = rpcs.get(endpoint) ?? createChainRpc(endpoint, { checkHeaders: !trustHeaders })
    rpcs.set(endpoint, rpc)
    return rpc
  }

  /** Those to ask: rather one that rests than too few, and rather one that lied than nobody. */
  function asked(): readonly Endpoint[] {
    const ranked = endpoints.ranked()
    const trusted = ranked.filter(({ health }) => health.rank() < DISTRUSTED)
    const awake = trusted.filter(({ health }) => health.rank() < RESTING)
    return awake.length >= quorum ? awake : trusted.length >= quorum ? trusted : ranked
  }

  /** What endpoints answer to a question, with who answered; as many as the quorum at least. */
  async function answersOf<T>(of: readonly Endpoint[], ask: (rpc: ChainRpc) => Promise<T>) {
    const { answers, errors } = await firstAnswers(
      of.map(async endpoint => ({ endpoint, answer: await ask(rpcOf(endpoint)) })),
      // A second one to compare with is waited for.
      given => given.length >= Math.max(quorum, 2)
    )
    if (answers.length >= quorum) return answers
    if (endpoints.ranked().length === 1) throw errors[0]
    throw new SalusError('CHAIN_QUORUM', 'Too few of the RPC endpoints answer, or agree; see the status.', {
      cause: errors[0]
    })
  }

  const others = (lead: Source): readonly Source[] =>
    endpoints
      .ranked()
      .filter(endpoint => endpoint !== lead.endpoint && endpoint.health.rank() < RESTING)
      .map(endpoint => ({ endpoint, rpc: rpcOf(endpoint) }))

  function noteFailure({ endpoint }: Source, error: unknown): void {
    if (isSalusError(error) && isLie(error)) endpoints.distrust(endpoint, error.code)
  }

  return {
    isSole: endpoints.ranked().length === 1,
    async elect(atLeast) {
      const all = asked()
      const answers = await answersOf(all, async rpc => rpc.headNumber())
      for (const { endpoint, answer } of answers) endpoint.health.sawHead(answer)
      const pace = paceOf(answers.map(({ answer }) => answer))
      const claims = answers.map(({ endpoint, answer }) => {
        return { number: answer, keepsUp: endpoint.health.keepsUp(pace) }
      })
      const head = agreedHead(claims, quorum)
      const ordered = all.flatMap(one => answers.filter(({ endpoint }) => endpoint === one))
      const best = ordered.filter(({ endpoint }) => endpoint.health.rank() === ordered[0]?.endpoint.health.rank())
      const able = ordered.filter(({ answer }) => answer >= atLeast)
      const isFresh = ({ answer }: { readonly answer: number }): boolean => answer >= head - MAX_LAG_BLOCKS
      const lead = able.find(one => best.includes(one) && isFresh(one)) ?? able.find(isFresh) ?? able[0] ?? ordered[0]
      if (lead == null) throw new Error('there is no endpoint')
      return { endpoint: lead.endpoint, rpc: rpcOf(lead.endpoint), headNumber: Math.min(lead.answer, head) }
    },
    async poll(lead, block, isThorough = false) {
      const said = textOf(block)
      const of = others(lead)
      const tally = (given: readonly { readonly at: number; readonly answer: string | null }[]): Answer[] =>
        of.map((_, at) => given.find(one => one.at === at)?.answer)
      const { answers } = await firstAnswers(
        of.map(async (other, at) => {
          const header = await other.rpc.header(block.number).catch((error: unknown) => {
            noteFailure(other, error)
            throw error
          })
          return { at, answer: header == null ? null : textOf(header) }
        }),
        given => !isThorough && isCertain({ said, others: tally(given), needed: quorum }),
        0
      )
      const differing = of.filter((_, at) =>
        answers.some(one => one.at === at && one.answer != null && one.answer !== said)
      )
      const verdict = judge({ said, others: tally(answers), needed: quorum })
      return { verdict, differing: differing.map(({ endpoint }) => endpoint) }
    },
    named: async tag =>
      (
        await answersOf(asked(), async rpc => {
          return rpc.numberOf(tag).catch((error: unknown) => {
            // Chains without finality answer with an error.
            if (isSalusError(error, 'CHAIN_RPC_FAILED')) return undefined
            throw error
          })
        })
      ).map(({ answer }) => answer ?? null),
    async areRulesUnknown(number) {
      const answers = await answersOf(asked(), async rpc => rpc.claim(number))
      const claims = answers.map(({ answer }) => answer)
      const [said, ...others] = claims.map(claim => claim?.hash ?? null)
      if (said == null || claims.some(claim => claim?.isProven === true)) return false
      return judge({ said, others, needed: Math.max(quorum, 2) }) === 'agreed'
    },
    others,
    noteFailure
  }
}

/** Whether a failure is one that an honest endpoint does not have. */
export function isLie({ code }: SalusError): boolean {
  return LIES.includes(code)
}

/** Endpoints do not agree. */
export function disputed(): SalusError {
  return new SalusError('CHAIN_DISPUTED', 'The RPC endpoints do not agree on a block or its logs; see the status.')
}

/** What is compared of a block: without recomputed hashes its time is worth no more than who says it. */
function textOf({ hash, timeS }: Cursor): string {
  return `${hash} ${String(timeS)}`
}

/** What was answered by the time all have, or soon after those are enough who have. */
async function firstAnswers<T>(
  asked: readonly Promise<T>[],
  isEnough: (answers: readonly T[]) => boolean,
  patienceMs: number = PATIENCE_MS
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
      else if (isEnough(answers)) timer ??= setTimeout(end, patienceMs)
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
