/** Whether a peer holds what it should, by what it proved in one round of asking (docs/specs/placement.md). */

/** Share of what it should have by now that a peer must prove to count as a holder. */
const LEAST_SHARE = 0.1

/** What one peer proved of that which it should hold, and what it should have by now and did not prove. */
export interface DutyCounts {
  readonly proven: number
  readonly failed: number
}

/**
 * Whether a peer is to be left out for a while. By share, and low: a peer that joined fetches for hours, one that has no room may refuse,
 * and both hold more of what they should with each round; who invents a peer, or pledges what is not there, holds next to nothing.
 */
export function failsItsDuty({ proven, failed }: DutyCounts): boolean {
  return failed > 0 && proven < LEAST_SHARE * (proven + failed)
}
