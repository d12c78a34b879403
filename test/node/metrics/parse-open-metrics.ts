/** A reader of OpenMetrics 1.0 that takes nothing but what the specification's grammar has. */

/** A sample with its name and labels. */
export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A family. */
export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly samples: readonly ParsedSample[]
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  info: ['_info'],
  histogram: ['_bucket', '_count', '_sum']
}
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+)$/
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/

/** Reads a text; throws where it is not OpenMetrics. */
export function parseOpenMetrics(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith('# EOF\n')) throw new Error('does not end with # EOF')
  const families = new Map<string, ParsedFamily & { samples: ParsedSample[] }>()
  let at: (ParsedFamily & { samples: ParsedSample[] }) | undefined
  const seen = new Set<string>()
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const [, keyword, name = '', rest = ''] = /^# (TYPE|UNIT|HELP) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'TYPE') {
      if (families.has(name)) throw new Error(`${name} is interleaved or told twice`)
      if (SUFFIXES[rest] == null) throw new Error(`unknown type ${rest}`)
      at = { name, type: rest, samples: [] }
      families.set(name, at)
      continue
    }
    if (at == null) throw new Error('a line before any TYPE')
    if (keyword != null) {
      if (name !== at.name || at.samples.length > 0) throw new Error(`${keyword} of ${name} is out of place`)
      if (keyword === 'UNIT' && !name.endsWith(`_${rest}`)) throw new Error(`${name} does not end in its unit`)
      if (!/^(?:[^\\]|\\[\\n"])*$/.test(rest)) throw new Error('a bad escape')
      continue
    }
    const [, sample = '', , labelText = '', value = ''] = SAMPLE.exec(line) ?? []
    const suffix = sample.slice(at.name.length)
    if (!sample.startsWith(at.name) || !SUFFIXES[at.type]?.includes(suffix))
      throw new Error(`not of ${at.name}: ${line}`)
    if (!/^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.test(value)) throw new Error(`no number: ${line}`)
    if (seen.has(`${sample}{${labelText}}`)) throw new Error(`told twice: ${line}`)
    seen.add(`${sample}{${labelText}}`)
    at.samples.push({ name: sample, labels: readLabels(labelText), value: Number(value.replace('Inf', 'Infinity')) })
  }
  return families
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== '';) {
    const [all, name = '', value = ''] = LABEL.exec(rest) ?? []
    if (all == null || Object.hasOwn(labels, name)) throw new Error(`bad labels: ${text}`)
    labels[name] = value.replaceAll(/\\([\\n"])/g, (_, char: string) => (char === 'n' ? '\n' : char))
    rest = rest.slice(all.length)
  }
  return labels
}
