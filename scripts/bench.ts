/** `npm run -s bench -- NAME [--quick]`: runs one benchmark and prints one JSON line per figure. */
import { parseArgs } from 'node:util'
import { figureLine } from '#scripts/bench/line.ts'
import type { Bench } from '#scripts/bench/report.ts'

const NAMES = ['seal', 'grants', 'gossip', 'exchange', 'gateway', 'node', 'gas']
const HELP = `Usage: npm run -s bench -- NAME [--quick]

Runs one benchmark against its yardstick in the same run. Names: ${NAMES.join(', ')}.
Prints one JSON line per figure on standard output, progress on standard error.

  --quick   finish within 45 seconds, with fewer repetitions
  --json    what it prints is JSON in any case
  --help    this text`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
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
      console.log(figureLine(name, figure))
    },
    progress: text => {
      console.error(text)
    }
  })
}
