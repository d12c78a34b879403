/** What ties two pseudonyms together although no bytes of their requests do: times, fees, and who paid in what they pay with. */
import type { Decoder } from '#scripts/observer/calls.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'

/** Requests for the same thing so close together suggest one agent. */
const TOGETHER_S = 60
/** Fields with a time to the second. `terms` of a grant holds two. */
const TIME_FIELD = /^(deadline|notBefore|expiresAt|validUntil)$/
/** What a patient sets once for long. */
const CHOICE_FIELD = /^(policy|delay)$/
const [NO_END, TIME_BITS, NOT_BEFORE_AT, EXPIRES_AT] = [2n ** 40n - 1n, 40, 160n, 200n] as const

/** What else the search needs to know. */
export interface Surroundings {
  readonly decode: Decoder
  /** Every transaction of the chain. */
  readonly all: readonly SeenTransaction[]
  /** Hashes of those that are about any pseudonym of the patient: what only they have is not usual. */
  readonly own: ReadonlySet<string>
  /** Addresses of those who act or pay for many, in lower case. */
  readonly known: ReadonlySet<string>
}

/** What transactions of both sides share, in words. */
export function findEnvelopeLinks(
  a: readonly SeenTransaction[],
  b: readonly SeenTransaction[],
  around: Surroundings
): string[] {
  return [sameMoments, sameChoices, together, sameFees, sameFunds].flatMap(find => find(a, b, around))
}

/** Times that requests of both sides name, to the second: signed in one go, or ends chosen for both. */
function sameMoments(a: readonly SeenTransaction[], b: readonly SeenTransaction[], { decode }: Surroundings): string[] {
  const momentsOf = (side: readonly SeenTransaction[]): Set<bigint> =>
    new Set(
      side.flatMap(decode).flatMap(({ name, value }) => {
        if (TIME_FIELD.test(name)) return [value as bigint]
        if (name !== 'terms' || typeof value !== 'bigint') return []
        return [NOT_BEFORE_AT, EXPIRES_AT].map(at => BigInt.asUintN(TIME_BITS, value >> at))
      })
    )
  const others = momentsOf(b)
  const shared = [...momentsOf(a)].filter(time => time !== 0n && time !== NO_END && others.has(time))
  return shared.map(time => `the time ${new Date(Number(time) * 1000).toISOString()}`)
}

/** A recovery's delay or a policy that nobody else has. */
function sameChoices(
  a: readonly SeenTransaction[],
  b: readonly SeenTransaction[],
  { decode, all, own }: Surroundings
): string[] {
  const choicesOf = (some: readonly SeenTransaction[]): string[] =>
    some
      .flatMap(decode)
      .flatMap(({ name, type, value }) =>
        CHOICE_FIELD.test(name) && type !== 'bytes32' && value !== 0n ? [`the ${name} ${String(value)}`] : []
      )
  const usual = new Set(choicesOf(all.filter(({ hash }) => !own.has(hash))))
  const others = new Set(choicesOf(b))
  return [...new Set(choicesOf(a))].filter(choice => others.has(choice) && !usual.has(choice))
}

/** Calls of the same function within a minute. */
function together(a: readonly SeenTransaction[], b: readonly SeenTransaction[]): string[] {
  const near = a.filter(one =>
    b.some(
      other =>
        one.hash !== other.hash &&
        selectorOf(one) === selectorOf(other) &&
        Math.abs(one.time - other.time) <= TOGETHER_S
    )
  )
  return near.length === 0 ? [] : [`the minute of ${String(near.length)} requests`]
}

/** An unusual tip that only accounts of both sides give. */
function sameFees(
  a: readonly SeenTransaction[],
  b: readonly SeenTransaction[],
  { all, own, known }: Surroundings
): string[] {
  const paid = (side: readonly SeenTransaction[]): SeenTransaction[] =>
    side.filter(({ from }) => !known.has(from.toLowerCase()))
  const senders = new Set([...paid(a), ...paid(b)].map(({ from }) => from))
  const usual = new Set(
    all
      .filter(({ from, hash }) => known.has(from.toLowerCase()) || !(own.has(hash) || senders.has(from)))
      .map(({ tip }) => tip)
  )
  const tips = new Set(paid(b).map(({ tip }) => tip))
  const shared = new Set(paid(a).flatMap(({ tip }) => (tips.has(tip) && !usual.has(tip) ? [tip] : [])))
  return [...shared].map(tip => `the tip of ${String(tip)} wei`)
}

/** Accounts from which accounts of both sides were funded, over any number of steps. */
function sameFunds(
  a: readonly SeenTransaction[],
  b: readonly SeenTransaction[],
  { all, known }: Surroundings
): string[] {
  const sourcesOf = (side: readonly SeenTransaction[]): Set<string> => {
    const found = new Set(side.map(({ from }) => from.toLowerCase()).filter(from => !known.has(from)))
    for (const account of found)
      for (const { from, to, value } of all)
        if (value > 0n && to?.toLowerCase() === account && !known.has(from.toLowerCase())) found.add(from.toLowerCase())
    return found
  }
  const others = sourcesOf(b)
  return [...sourcesOf(a)].filter(source => others.has(source)).map(source => `funds from ${source}`)
}

function selectorOf({ parts }: SeenTransaction): string {
  const calldata = parts.find(({ place }) => place === 'calldata')?.bytes ?? new Uint8Array()
  return Buffer.from(calldata.subarray(0, 4)).toString('hex')
}
