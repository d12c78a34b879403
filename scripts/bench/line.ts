import { median, type Figure } from '#scripts/bench/report.ts'

/** One line of a benchmark's output; `goal` and `met` are null where there is no goal (DESIGN: measures). */
export function figureLine(bench: string, figure: Figure): string {
  const value = median(figure.samples)
  const ratio = figure.versus == null ? null : value / median(figure.versus.samples)
  const round = (x: number): number => Number(x.toPrecision(4))
  return JSON.stringify({
    bench,
    metric: figure.metric,
    value: round(value),
    unit: figure.unit,
    versus: figure.versus?.name ?? null,
    ratio: ratio == null ? null : round(ratio),
    n: figure.samples.length,
    min: round(Math.min(...figure.samples)),
    max: round(Math.max(...figure.samples)),
    goal: figure.goal ?? null,
    met: figure.meets?.(value, ratio) ?? null
  })
}
