/** `npm run generate`: makes from the contracts, and from the definitions of FHIR, what the rest of the project needs of them. */
import { parseArgs } from 'node:util'
import { renderFiles, staleFiles, updateFiles, writeFiles } from '#scripts/generate/files.ts'

const HELP = `Usage: npm run generate [-- CONTRACT ...] [--check] [--json]

Compiles contracts/ with the compiler from npm and writes core/abi, contracts/bytecode and test/contracts/bytecode;
with names, the files of these contracts alone, which is quicker. The name fhir stands for core/fhir/definitions, config for the
pages of a node's configuration, api for the types of its HTTP API.
  --check  write nothing; exit 1 if a committed file is not what would be written
  --json   print one JSON object instead of text`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(HELP)
} else {
  const files = await renderFiles(positionals)
  const isPart = positionals.length > 0
  const stale = await staleFiles(files, isPart)
  if (!values.check) await (isPart ? updateFiles(files) : writeFiles(files))
  if (values.json) console.log(JSON.stringify({ files: files.size, stale }))
  else if (stale.length === 0) console.log(`${String(files.size)} generated files are up to date.`)
  else if (values.check) console.error(`Stale, run npm run generate:\n${stale.join('\n')}`)
  else console.log(`Wrote:\n${stale.join('\n')}`)
  if (values.check && stale.length > 0) process.exitCode = 1
}
