/** Cuts and repeats recordings (docs/specs/recording.md) by whole rows. */

function linesOf(text: string): { header: string; rows: string[] } {
  const [header = '', ...rows] = text.trimEnd().split('\n')
  return { header, rows }
}

/** The first `share` (0 to 1) of a recording's rows, at least one. */
export function firstPart(text: string, share: number): string {
  const { header, rows } = linesOf(text)
  return [header, ...rows.slice(0, Math.max(1, Math.floor(rows.length * share))), ''].join('\n')
}

/** A recording over and over again, for at least `seconds`; its times go on rising. */
export function repeated(text: string, seconds: number): string {
  const { header, rows } = linesOf(text)
  const times = rows.map(row => Number(row.split(',', 1)[0]))
  const first = times[0] ?? 0
  const period = (times.at(-1) ?? 0) - first + 1
  const out = [header]
  for (let round = 0; round * period < seconds; round++) {
    for (const [i, row] of rows.entries()) {
      const time = (times[i] ?? 0) - first + round * period
      out.push(`${time}${row.slice(row.indexOf(','))}`)
    }
  }
  return [...out, ''].join('\n')
}
