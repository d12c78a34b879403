import type { MeasuredSource } from '#scripts/coverage/tree.ts'

/** A line never run, or an outcome that a condition never had. */
export interface Gap {
  readonly file: string
  readonly line: number
  readonly what: 'line' | 'never true' | 'never false'
  /** The line or the condition as it is written. */
  readonly text: string
}

/** How much of one source was run. */
export interface FileCoverage {
  readonly file: string
  readonly lines: Share
  /** Two for each condition: it was true, it was false. */
  readonly branches: Share
  readonly gaps: readonly Gap[]
}

/** So many of so many. */
export interface Share {
  readonly hit: number
  readonly of: number
}

/** Hits by line, by source, of a report in the format of lcov. */
export function readLcov(report: string): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const files = new Map<string, Map<number, number>>()
  let lines = new Map<number, number>()
  for (const row of report.split('\n')) {
    if (row.startsWith('SF:')) files.set(row.slice(3), (lines = new Map<number, number>()))
    const [, line, hits] = /^DA:(\d+),(\d+)/.exec(row) ?? []
    if (line != null) lines.set(Number(line), Number(hits))
  }
  return files
}

/** What a source's hits say, told in the lines of the source as it was written. */
export function coverageOf(source: MeasuredSource, hits: ReadonlyMap<number, number>): FileCoverage {
  const file = source.path
  // What follows the last line of the source was added to tell outcomes apart.
  const own = [...hits].filter(([line]) => line <= source.lines.length)
  const gaps: Gap[] = own
    .filter(([, count]) => count === 0)
    .map(([line]) => ({ file, line, what: 'line', text: (source.lines[line - 1] ?? '').trim() }))
  const lines = { hit: own.length - gaps.length, of: own.length }
  const branches = { hit: 0, of: 2 * source.conditions.length }
  for (const { line, text, whenTrue, whenFalse } of source.conditions) {
    for (const [what, marker] of [
      ['never true', whenTrue],
      ['never false', whenFalse]
    ] as const) {
      if ((hits.get(marker) ?? 0) > 0) branches.hit++
      else gaps.push({ file, line, what, text })
    }
  }
  return { file, lines, branches, gaps: gaps.sort((a, b) => a.line - b.line) }
}
