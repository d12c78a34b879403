/** `node scripts/synthetic.ts`: writes the recording that ships with Salus, or one of another length or seed. */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'

const HELP = `Usage: node scripts/synthetic.ts [--seconds N] [--seed N] [--out FILE]

Writes a made-up recording of monitor numerics (docs/specs/recording.md). It describes no person.`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '480' },
    seed: { type: 'string', default: '20261120' },
    out: { type: 'string', default: fileURLToPath(new URL('../gateway/recordings/synthetic.csv', import.meta.url)) },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(HELP)
} else {
  await writeFile(values.out, syntheticRecording({ seconds: Number(values.seconds), seed: Number(values.seed) }))
}
