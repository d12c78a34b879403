/** `npm run -s bench -- NAME [--quick]`: runs one benchmark and prints one JSON line per figure. */
import { parseArgs } from 'node:util'
import { median, type Bench, type Figure } from '#scripts/bench/report.ts'

const NAMES = ['seal', 'grants', 'gossip', 'exchange', 'gateway', 'node', 'gas', 'import']
const HELP = `Usage: npm run -s bench -- NAME [--quick]

Runs one benchmark against its yardstick in the same run. Names: ${NAMES.join(', ')}.
Prints one JSON line per figure on standard output, progress on standard error.

  --quick   finish within 45 seconds, with fewer repetitions
  --help    this text`

/** One line of output; `goal` and `met` are null where there is no goal. */
function line(bench: string, figure: Figure): string {
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } }
})
const [name] = positionals
if (values.help) {
  console.log(HELP)
} else if (name == null || !NAMES.includes(name)) {
  console.error(HELP)
  process.exitCode = 2
} else {
  const module = (await import(`./bench/${name}.ts`)) as { run: (bench: Bench) => Promise<void> }
  await module.run({
    quick: values.quick,
    figure: figure => {
      console.log(line(name, figure))
    },
    progress: text => {
      console.error(text)
    }
  })
}
