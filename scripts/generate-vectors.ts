/** `node scripts/generate-vectors.ts`: writes the vectors of records, grants and requests. Run it only when a format is meant to change. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { format } from 'prettier'
import { nativePrimitives } from '#node/crypto/native.ts'
import { ROOT } from '#scripts/process/run.ts'
import { anchorRequestVectors } from '#scripts/vectors/anchor-requests.ts'
import { careRequestVectors } from '#scripts/vectors/care-requests.ts'
import { grantVectors } from '#scripts/vectors/grant-vectors.ts'
import { logVectors } from '#scripts/vectors/log-vectors.ts'
import { recordVectors } from '#scripts/vectors/record-vectors.ts'
import { researchRequestVectors } from '#scripts/vectors/research-requests.ts'
import { superRootVectors } from '#scripts/vectors/super-root-vectors.ts'

const HELP = `Usage: node scripts/generate-vectors.ts

Writes test/vectors for the formats of records, grants and requests. The tests compare the committed files with what the code makes;
a difference means that a format changed, which needs a new version in the format and in its page.`

const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } })
if (values.help) {
  console.log(HELP)
} else {
  const files = {
    ...(await recordVectors(nativePrimitives)),
    ...(await grantVectors(nativePrimitives)),
    ...(await logVectors(nativePrimitives)),
    ...(await anchorRequestVectors()),
    ...(await careRequestVectors()),
    ...(await researchRequestVectors()),
    ...superRootVectors(nativePrimitives)
  }
  for (const [name, vectors] of Object.entries(files)) {
    const text = await format(JSON.stringify(vectors), { parser: 'json', printWidth: 120 })
    await writeFile(join(ROOT, 'test/vectors', `${name}.json`), text)
  }
  console.log(`Wrote ${String(Object.keys(files).length)} files.`)
}
