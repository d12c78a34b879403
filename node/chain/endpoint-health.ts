/** The health of one RPC endpoint: how fast it answers, how often it fails, and what it was caught at. */

/** An endpoint as plain data, for people and metrics. */
export interface EndpointStatus {
  /** Host and port. */
  readonly name: string
  /** `resting` after a failure, `distrusted` after a lie; either passes. */
  readonly state: 'good' | 'resting' | 'distrusted'
  /** Whether it is asked first. */
  readonly isLead: boolean
  /** Newest block that it spoke of. */
  readonly headNumber: number | null
  /** Time of an answer, smoothed over about eight of them. */
  readonly latencyMs: number | null
  /** Counts since the start. */
  readonly requests: number
  readonly failures: number
  readonly disagreements: number
  readonly lies: number
  readonly lastCode: string | null
}

/** What is noted of an endpoint. */
export interface Health {
  answered(latencyMs: number): void
  failed(code: string): void
  /** It gave what cannot be so. */
  lied(code: string): void
  /** It has another block than others under one number; it comes after the others for a while. */
  disagreed(code: string): void
  /** What it gave could not be used; it comes after the others for a while. */
  gaveNonsense(code: string): void
  sawHead(number: number): void
  /**
   * Whether its head has got as far as others', or did within half a minute after they got there: one that does not is waited for no more.
   *
   * @param pace - the head of the others
   */
  keepsUp(pace: number): boolean
  /** 0 for good; the higher, the later it is asked. */
  rank(): number
  status(): Omit<EndpointStatus, 'isLead'>
}

const FIRST_REST_MS = 500
const LONGEST_REST_MS = 60_000
const AFTER_OTHERS_MS = 10_000
const FIRST_DISTRUST_MS = 60_000
const LONGEST_DISTRUST_MS = 3_600_000
/** Time for which a head that others have passed is waited for. */
const GRACE_MS = 30_000
const SMOOTHING = 1 / 8

/** Begins to note. */
export function createHealth(name: string, clock: () => number): Health {
  let [requests, failures, disagreements, lies] = [0, 0, 0, 0]
  let nonsense = 0
  let inARow = 0
  let restsUntilMs = 0
  let afterOthersUntilMs = 0
  let distrustedUntilMs = 0
  let headNumber: number | null = null
  /** The first head of others that it has not reached yet, and when they had. */
  let passed: { readonly at: number; readonly sinceMs: number } | undefined
  let latencyMs: number | null = null
  let lastCode: string | null = null

  const rank = (): number => {
    const nowMs = clock()
    return nowMs < distrustedUntilMs ? 3 : nowMs < restsUntilMs ? 2 : nowMs < afterOthersUntilMs ? 1 : 0
  }

  return {
    answered(ms) {
      requests++
      inARow = 0
      restsUntilMs = 0
      latencyMs = latencyMs == null ? ms : latencyMs + (ms - latencyMs) * SMOOTHING
    },
    failed(code) {
      requests++
      failures++
      lastCode = code
      restsUntilMs = clock() + Math.min(FIRST_REST_MS * 2 ** Math.min(inARow++, 16), LONGEST_REST_MS)
    },
    lied(code) {
      distrustedUntilMs = clock() + Math.min(FIRST_DISTRUST_MS * 2 ** Math.min(lies++, 16), LONGEST_DISTRUST_MS)
      lastCode = code
    },
    disagreed(code) {
      afterOthersUntilMs = clock() + AFTER_OTHERS_MS * 2 ** Math.min(disagreements++, 5)
      lastCode = code
    },
    gaveNonsense(code) {
      failures++
      lastCode = code
      afterOthersUntilMs = clock() + AFTER_OTHERS_MS * 2 ** Math.min(nonsense++, 5)
    },
    sawHead(number) {
      headNumber = number
    },
    keepsUp(pace) {
      if (passed != null && (headNumber ?? 0) >= passed.at) passed = undefined
      if ((headNumber ?? 0) >= pace) return true
      passed ??= { at: pace, sinceMs: clock() }
      return clock() - passed.sinceMs < GRACE_MS
    },
    rank,
    status: () => ({
      name,
      state: (['good', 'good', 'resting', 'distrusted'] as const)[rank()] ?? 'good',
      headNumber,
      latencyMs: latencyMs == null ? null : Math.round(latencyMs),
      ...{ requests, failures, disagreements, lies, lastCode }
    })
  }
}
