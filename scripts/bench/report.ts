/** What a benchmark reports through; one JSON line per figure on standard output (DESIGN: measures). */
export interface Figure {
  /** What was measured, for example `seal.16MiB`. */
  readonly metric: string
  /** Samples in `unit`; the median is reported. */
  readonly samples: readonly number[]
  /** For example `MiB/s`, `ms`, `B`. */
  readonly unit: string
  /** The yardstick measured in the same run, interleaved. */
  readonly versus?: { readonly name: string; readonly samples: readonly number[] }
  /** Goal in words, for example `>= 1.0 of one native call`. */
  readonly goal?: string
  /** Decides from the median and the ratio to the yardstick whether the goal is met. */
  readonly meets?: (median: number, ratio: number | null) => boolean
}

/** Handed to each `scripts/bench/<name>.ts`. */
export interface Bench {
  /** True where the whole run must finish within 45 seconds. */
  readonly quick: boolean
  /** Prints one figure. */
  figure(figure: Figure): void
  /** Prints progress to standard error. */
  progress(text: string): void
}

/** Median of samples. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Percentile (0 to 100) of samples by the nearest-rank method. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}
