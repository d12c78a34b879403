/** `npm run test:interop`: tests against software that is not ours, where this machine has it. */
import { parseArgs } from 'node:util'
import { blocksAtKubo } from '#scripts/interop/blocks-at-kubo.ts'
import { contractsOnGeth } from '#scripts/interop/contracts-on-geth.ts'
import { fhirAtHapi } from '#scripts/interop/fhir-at-hapi.ts'
import { handshakesAtNoiseprotocol } from '#scripts/interop/handshakes-at-noiseprotocol.ts'
import { sensorsAtMosquitto } from '#scripts/interop/sensors-at-mosquitto.ts'
import type { Suite } from '#scripts/interop/suite.ts'
import { tlogInGo } from '#scripts/interop/tlog-in-go.ts'

const SUITES: readonly Suite[] = [
  contractsOnGeth,
  fhirAtHapi,
  blocksAtKubo,
  tlogInGo,
  sensorsAtMosquitto,
  handshakesAtNoiseprotocol
]
const HELP = `Usage: npm run test:interop [-- SUITE ...] [--strict] [--json]

${SUITES.map(({ name, about }) => `  ${name}: ${about}`).join('\n')}

What a suite needs is built or found first; a suite that cannot run here is skipped, and says why. Ends with
"N passed, N failed, N skipped".

  --strict  a suite that is skipped counts as failed
  --json    print one JSON object per suite instead of the sentences`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    strict: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const unknown = positionals.filter(name => !SUITES.some(suite => suite.name === name))
if (values.help || unknown.length > 0) {
  console.log(HELP)
  process.exitCode = values.help ? 0 : 2
} else {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const suite of SUITES) {
    if (positionals.length > 0 && !positionals.includes(suite.name)) continue
    const reason = await suite.prepare(text => {
      console.error(text)
    })
    const counts = reason == null ? await suite.run() : { passed: 0, failed: values.strict ? 1 : 0, skipped: 1 }
    if (values.json) console.log(JSON.stringify({ suite: suite.name, ...counts, ...reason }))
    else if (reason != null) console.log(`skipped: ${suite.name}: ${reason.missing}`)
    for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key]
  }
  console.log(`${String(total.passed)} passed, ${String(total.failed)} failed, ${String(total.skipped)} skipped`)
  process.exitCode = total.failed === 0 ? 0 : 1
}
