/** A share, and between what it lies for the whole if what was counted is a random sample of it. */
export interface Score {
  readonly share: number
  readonly low: number
  readonly high: number
}

/** The normal distribution's quantile for an interval that holds the truth 95 times of 100. */
const Z = 1.959964

/** Wilson's interval, which holds for shares near 1 too: https://doi.org/10.1080/01621459.1927.10502953 */
export function scoreOf(successes: number, trials: number): Score {
  if (trials === 0) return { share: 0, low: 0, high: 1 }
  const share = successes / trials
  const spread = 1 + Z ** 2 / trials
  const middle = (share + Z ** 2 / (2 * trials)) / spread
  const half = (Z / spread) * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2))
  // Where all or none succeeded, rounding must not leave that out.
  return { share, low: successes === 0 ? 0 : middle - half, high: successes === trials ? 1 : middle + half }
}
