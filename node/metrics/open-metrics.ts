/** The text of OpenMetrics 1.0, which Prometheus reads (https://prometheus.io/docs/specs/om/open_metrics_spec/). */
import type { Family, Labels } from '#node/metrics/families.ts'

/** Its media type. */
export const OPEN_METRICS_TYPE: string = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** The text of some families. */
export function writeOpenMetrics(families: readonly Family[]): string {
  return `${families.map(writeFamily).join('')}# EOF\n`
}

function writeFamily({ name, type, unit, help, samples }: Family): string {
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit == null ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...samples.map(({ suffix, labels, value }) => `${name}${suffix}${writeLabels(labels)} ${writeNumber(value)}`)
  ]
  return `${lines.join('\n')}\n`
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
