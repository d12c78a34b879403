/** `npm run -s bench -- NAME [--quick]`: runs one benchmark and prints one JSON line per figure. */
import { parseArgs } from 'node:util'
import { figureLine } from '#scripts/bench/line.ts'
import type { Bench } from '#scripts/bench/report.ts'

const NAMES = ['seal', 'grants', 'gossip', 'exchange', 'gateway', 'node', 'gas', 'import']
const HELP = `Usage: npm run -s bench -- NAME [--quick]

Runs one benchmark against its yardstick in the same run. Names: ${NAMES.join(', ')}.
Prints one JSON line per figure on standard output, progress on standard error.

  --quick   finish within 45 seconds, with fewer repetitions
  --json    what it prints is JSON in any case
  --help    this text`

/** The options and the one name; undefined where they are not as the text above says. */
function readArguments():
  { readonly quick: boolean; readonly help: boolean; readonly name: string | undefined } | undefined {
  const flag = { type: 'boolean', default: false } as const
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { quick: flag, json: flag, help: flag }
    })
    const [name, ...more] = positionals
    const isKnown = name != null && more.length === 0 && NAMES.includes(name)
    return isKnown || values.help ? { quick: values.quick, help: values.help, name } : undefined
  } catch {
    // What parseArgs throws names the option; the usage tells what there is.
    return undefined
  }
}

const wish = readArguments()
if (wish?.help === true) {
  console.log(HELP)
} else if (wish?.name == null) {
  console.error(HELP)
  process.exitCode = 2
} else {
  const { name, quick } = wish
  const module = (await import(`./bench/${name}.ts`)) as { run: (bench: Bench) => Promise<void> }
  await module.run({
    quick,
    figure: figure => {
      console.log(figureLine(name, figure))
    },
    progress: text => {
      console.error(text)
    }
  })
}
