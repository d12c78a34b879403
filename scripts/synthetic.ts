/** `node scripts/synthetic.ts`: writes the recording that ships with Salus, or one of another length or seed; or a FHIR record. */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { syntheticFhirPatient } from '#scripts/synthetic/fhir-patient.ts'
import { syntheticRecording } from '#scripts/synthetic/recording.ts'

const HELP = `Usage: node scripts/synthetic.ts [--seconds N] [--seed N] [--out FILE]
       node scripts/synthetic.ts --fhir --out FILE [--visits N] [--seed N]

Writes a made-up recording of monitor numerics (docs/specs/recording.md), or with --fhir a made-up record as a FHIR bundle. Neither
describes a person.`

const SHIPPED = fileURLToPath(new URL('../gateway/recordings/synthetic.csv', import.meta.url))

const { values } = parseArgs({
  options: {
    fhir: { type: 'boolean', default: false },
    visits: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '480' },
    seed: { type: 'string', default: '20261120' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(HELP)
} else if (values.fhir) {
  if (values.out == null) throw new Error('Say with --out where to write the record.')
  await writeFile(values.out, syntheticFhirPatient({ visits: Number(values.visits), seed: Number(values.seed) }))
} else {
  await writeFile(
    values.out ?? SHIPPED,
    syntheticRecording({ seconds: Number(values.seconds), seed: Number(values.seed) })
  )
}
