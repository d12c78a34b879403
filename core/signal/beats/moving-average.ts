/** Moving averages: filters whose sums are exact, so that they give the same on every machine. */

/** Mean of the `width` samples around each one; at the ends of as many as there are. `width` is made odd. */
export function movingAverage(samples: Float64Array, width: number): Float64Array {
  const half = Math.max(0, width) >> 1
  const out = new Float64Array(samples.length)
  let sum = 0
  let count = 0
  for (let i = 0; i < Math.min(half, samples.length); i++) {
    sum += samples[i] ?? 0
    count++
  }
  for (let i = 0; i < samples.length; i++) {
    if (i + half < samples.length) {
      sum += samples[i + half] ?? 0
      count++
    }
    if (i - half > 0) {
      sum -= samples[i - half - 1] ?? 0
      count--
    }
    out[i] = sum / count
  }
  return out
}

/** What lies between a slow and a fast average, each taken twice: a band of frequencies without any phase shift. */
export function bandPass(samples: Float64Array, fastWidth: number, slowWidth: number): Float64Array {
  const fast = movingAverage(movingAverage(samples, fastWidth), fastWidth)
  const slow = movingAverage(movingAverage(fast, slowWidth), slowWidth)
  return fast.map((value, i) => value - (slow[i] ?? 0))
}
