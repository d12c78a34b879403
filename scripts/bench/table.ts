/** `node scripts/bench/table.ts < lines`: figures, as the benches print them, as rows of the tables in docs/benchmarks.md. */
import { text } from 'node:stream/consumers'

/** The fields of a line that a row shows. */
interface Line {
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly versus: string | null
  readonly ratio: number | null
  readonly n: number
  readonly min: number
  readonly max: number
  readonly goal: string | null
  readonly met: boolean | null
}

const HEAD = `| Figure | Median | Range | n | Yardstick | Ratio | Goal | Met |
| --- | ---: | ---: | ---: | --- | ---: | --- | --- |`

/** A table of figures; lines that are none are left out. */
export function renderFigures(lines: string): string {
  const figures = lines
    .split('\n')
    .filter(line => line.startsWith('{"bench"'))
    .map(line => JSON.parse(line) as Line)
  return [HEAD, ...figures.map(rowOf)].join('\n')
}

function rowOf({ metric, value, unit, versus, ratio, n, min, max, goal, met }: Line): string {
  const verdict = met == null ? '–' : met ? 'yes' : '**no**'
  const range = `${String(min)}–${String(max)}`
  return `| ${[metric, `${String(value)} ${unit}`, range, n, versus ?? '–', ratio ?? '–', goal ?? '–', verdict].join(' | ')} |`
}

if (import.meta.main) console.log(renderFigures(await text(process.stdin)))
