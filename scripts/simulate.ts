/** `node scripts/simulate.ts NAME`: plays a large network on one machine with the code by which nodes decide. */
import { parseArgs } from 'node:util'
import { simulatePlacement } from '#scripts/simulate/placement.ts'

const HELP = `Usage: node scripts/simulate.ts placement [--nodes N] [--blobs N] [--replicas R] [--operators N] [--blob-bytes N] [--json]

Places blobs on nodes and lets nodes die and come: how even the load is, what repair costs and takes, what deciding costs one node.
Numbers may be written as 1e7. 10,000 nodes and 1e7 blobs take some minutes of one core.

  --nodes       1000 unless told
  --blobs       100000 unless told
  --replicas    3 unless told
  --operators   who runs the nodes; one each unless told
  --blob-bytes  262144 unless told
  --json        one line of JSON
  --help        this text`

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { ...text, default: '1000' },
    blobs: { ...text, default: '100000' },
    replicas: { ...text, default: '3' },
    operators: { ...text, default: '0' },
    'blob-bytes': { ...text, default: '262144' },
    json: flag,
    help: flag
  }
})
const numbers = [values.nodes, values.blobs, values.replicas, values.operators, values['blob-bytes']].map(Number)
const [nodes = 0, blobs = 0, replicas = 0, operators = 0, blobBytes = 0] = numbers
if (values.help) {
  console.log(HELP)
} else if (positionals.join() !== 'placement' || !numbers.every(Number.isSafeInteger) || nodes < 1 || replicas < 1) {
  console.error(HELP)
  process.exitCode = 2
} else {
  const onProgress = (done: number): void => {
    console.error(`${String(done)} of ${String(blobs)} blobs`)
  }
  const figures = simulatePlacement({ nodes, blobs, replicas, operators, blobBytes, onProgress })
  console.log(values.json ? JSON.stringify(figures) : JSON.stringify(figures, undefined, 2))
}
