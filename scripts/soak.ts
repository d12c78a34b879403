/** `npm run -s soak -- NAME [--times N] [--nodes N] [--json]`: plays trouble on real processes and says what was lost. */
import { parseArgs } from 'node:util'
import { endEverything } from '#scripts/process/service.ts'
import { soakAway } from '#scripts/soak/away.ts'
import { soakByzantine } from '#scripts/soak/byzantine.ts'
import { soakGateway } from '#scripts/soak/gateway.ts'
import { soakHttp } from '#scripts/soak/http.ts'
import { soakKill } from '#scripts/soak/kill.ts'
import { soakPartition } from '#scripts/soak/partition.ts'
import type { SoakInit, SoakReport } from '#scripts/soak/soak.ts'

interface Soak {
  readonly run: (init: SoakInit) => Promise<SoakReport>
  readonly what: string
  readonly times: number
  readonly nodes: number
}

const SOAKS: Readonly<Record<string, Soak>> = {
  kill: { run: soakKill, what: 'kills nodes with SIGKILL while entries are written', times: 20, nodes: 3 },
  partition: { run: soakPartition, what: 'cuts the network in two halves and heals it', times: 5, nodes: 4 },
  away: { run: soakAway, what: 'lets a node miss entries, with wrong clocks', times: 1000, nodes: 3 },
  byzantine: { run: soakByzantine, what: 'writes entries among hostile peers', times: 300, nodes: 7 },
  gateway: { run: soakGateway, what: 'cuts a gateway short at any step', times: 10_000, nodes: 1 },
  http: { run: soakHttp, what: 'asks one node over HTTP from a thousand clients at once', times: 10, nodes: 1 }
}

const HELP = `Usage: npm run -s soak -- NAME [--times N] [--nodes N] [--json]

${Object.entries(SOAKS)
  .map(
    ([name, { what, times, nodes }]) => `  ${name.padEnd(10)} ${what} (${String(times)} times, ${String(nodes)} nodes)`
  )
  .join('\n')}

Ends with exit code 1 where something was lost that had to be kept. --json prints one line of figures.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string' },
    nodes: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const [name = ''] = positionals
const soak = SOAKS[name]
if (values.help || soak == null) {
  console[values.help ? 'log' : 'error'](HELP)
  process.exitCode = values.help ? 0 : 2
} else {
  process.once('SIGINT', () => void endEverything().then(() => process.exit(130)))
  const startMs = performance.now()
  const { ok, figures } = await soak.run({
    times: Number(values.times ?? soak.times),
    nodes: Number(values.nodes ?? soak.nodes),
    progress: text => {
      console.error(text)
    }
  })
  const report = { soak: name, ok, ...figures, seconds: Math.round((performance.now() - startMs) / 1000) }
  if (values.json) console.log(JSON.stringify(report))
  else for (const [key, value] of Object.entries(report)) console.log(`${key.padEnd(14)} ${String(value)}`)
  process.exitCode = ok ? 0 : 1
}
