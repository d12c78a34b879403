/** When a gateway anchors: by risk and by price, never a number skipped (docs/specs/gateway-journal.md). */

/** How often to anchor. */
export interface AnchorCadence {
  /** Longest time without an anchor while there is something new, ms. */
  readonly routineMs: number
  /** The same while the patient is at risk, and the shortest between two anchors made because gas is cheap, ms. */
  readonly atRiskMs: number
  /** At or below this price of a unit of gas, in wei, it anchors as soon as it may; null for never. */
  readonly cheapWei: bigint | null
}

/** An hour in routine, five minutes at risk, without regard to price. */
export const DEFAULT_CADENCE: AnchorCadence = { routineMs: 3_600_000, atRiskMs: 300_000, cheapWei: null }

/** The moment that is judged. */
export interface AnchorMoment {
  readonly nowMs: number
  /** When the last anchor was sent; null if none since the gateway started. */
  readonly lastAnchorMs: number | null
  readonly isAtRisk: boolean
  /** When the last alarm of high priority was raised; null if never. */
  readonly lastHighAlertMs: number | null
  /** Price of a unit of gas; null where it is not known. */
  readonly gasPriceWei: bigint | null
}

/** Whether what is new is anchored now. A clock that stepped back counts as time that passed: late is worse than often. */
export function isAnchorDue(cadence: AnchorCadence, moment: AnchorMoment): boolean {
  const { nowMs, lastAnchorMs, isAtRisk, lastHighAlertMs, gasPriceWei } = moment
  if (lastAnchorMs == null || nowMs < lastAnchorMs) return true
  if (lastHighAlertMs != null && lastHighAlertMs >= lastAnchorMs) return true
  const passedMs = nowMs - lastAnchorMs
  const isCheap = cadence.cheapWei != null && gasPriceWei != null && gasPriceWei <= cadence.cheapWei
  return passedMs >= (isAtRisk || isCheap ? Math.min(cadence.atRiskMs, cadence.routineMs) : cadence.routineMs)
}
