/** What is measured, as numbers with a few names: counters, gauges and histograms whose series are bounded. */

/** Names of a series, for example the route of a request; never an id. */
export type Labels = Readonly<Record<string, string>>

/** One line of the output. */
export interface Sample {
  /** What comes after the family's name, for example `_total`. */
  readonly suffix: string
  readonly labels: Labels
  readonly value: number
}

/** What is measured under one name. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info'
  /** Base unit, which also ends the name: `seconds`, `bytes`. */
  readonly unit?: string
  readonly help: string
  readonly samples: readonly Sample[]
}

/** A name, with what it means. */
export interface About {
  readonly name: string
  readonly unit?: string
  readonly help: string
}

/** Most series of one family; what comes after counts as `other`. */
const MAX_SERIES = 256
const OTHER = 'other'

/** Something that only grows. */
export interface Counter {
  add(labels?: Labels, amount?: number): void
  read(): Family
}

/** Makes a counter; its series are there from their first increment on, one without labels at once. */
export function createCounter(about: About, labelNames: readonly string[] = []): Counter {
  const series = createSeries(labelNames, () => ({ value: 0 }))
  if (labelNames.length === 0) series.of({})
  return {
    add(labels = {}, amount = 1) {
      series.of(labels).value += amount
    },
    read: () => ({
      ...about,
      type: 'counter',
      samples: series.all().map(([labels, { value }]) => ({ suffix: '_total', labels, value }))
    })
  }
}

/** How often what was how large. */
export interface Histogram {
  observe(value: number, labels?: Labels): void
  read(): Family
}

/** Makes a histogram. @param bounds - upper bounds, ascending; one without end is added */
export function createHistogram(
  about: About,
  bounds: readonly number[],
  labelNames: readonly string[] = []
): Histogram {
  const series = createSeries(labelNames, () => ({ sum: 0, counts: bounds.map(() => 0), count: 0 }))
  return {
    observe(value, labels = {}) {
      const at = series.of(labels)
      at.sum += value
      at.count++
      const bucket = bounds.findIndex(bound => value <= bound)
      if (bucket !== -1) at.counts[bucket] = (at.counts[bucket] ?? 0) + 1
    },
    read: () => ({
      ...about,
      type: 'histogram',
      samples: series.all().flatMap(([labels, { sum, counts, count }]) => {
        let below = 0
        const buckets = bounds.map((bound, at) => {
          below += counts[at] ?? 0
          return { suffix: '_bucket', labels: { ...labels, le: canonical(bound) }, value: below }
        })
        return [
          ...buckets,
          { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
          { suffix: '_count', labels, value: count },
          { suffix: '_sum', labels, value: sum }
        ]
      })
    })
  }
}

/** What can go up and down, read when asked. */
export function gauge(about: About, value: number, labels: Labels = {}): Family {
  return { ...about, type: 'gauge', samples: [{ suffix: '', labels, value }] }
}

/** Gauges of one name. */
export function gauges(about: About, values: readonly (readonly [Labels, number])[]): Family {
  return { ...about, type: 'gauge', samples: values.map(([labels, value]) => ({ suffix: '', labels, value })) }
}

/** A counter that someone else counts. */
export function counted(about: About, value: number): Family {
  return { ...about, type: 'counter', samples: [{ suffix: '_total', labels: {}, value }] }
}

function createSeries<T>(labelNames: readonly string[], make: () => T) {
  const series = new Map<string, { readonly labels: Labels; readonly value: T }>()
  const find = (labels: Labels): T => {
    const key = JSON.stringify(labelNames.map(name => labels[name] ?? ''))
    const there = series.get(key)
    if (there != null) return there.value
    if (series.size >= MAX_SERIES) {
      const other = Object.fromEntries(labelNames.map(name => [name, OTHER]))
      const otherKey = JSON.stringify(labelNames.map(() => OTHER))
      const last = series.get(otherKey) ?? { labels: other, value: make() }
      series.set(otherKey, last)
      return last.value
    }
    const made = { labels: Object.fromEntries(labelNames.map(name => [name, labels[name] ?? ''])), value: make() }
    series.set(key, made)
    return made.value
  }
  return {
    of: find,
    all: (): (readonly [Labels, T])[] => [...series.values()].map(({ labels, value }) => [labels, value])
  }
}

/** As OpenMetrics writes the bounds of buckets: always a floating point number. */
function canonical(bound: number): string {
  return Number.isInteger(bound) ? `${String(bound)}.0` : String(bound)
}
