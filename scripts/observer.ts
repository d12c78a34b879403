/** `npm run observer`: what somebody who only reads the chain finds out (docs/privacy.md). */
import { parseArgs } from 'node:util'
import { isSalusError } from '#core/error.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { connect } from '#scripts/deploy/connect.ts'
import { openDecoder } from '#scripts/observer/calls.ts'
import { readDeclared } from '#scripts/observer/declared.ts'
import { guessableDigests } from '#scripts/observer/guesses.ts'
import { HEALTH_WORDS, needlesOf, type Secret } from '#scripts/observer/needles.ts'
import { about, readTransactions, search, type Report } from '#scripts/observer/search.ts'
import { loadWanted } from '#scripts/observer/secrets-file.ts'

const HELP = `Usage: npm run -s observer -- --rpc URL --deployment FILE [options]

Reads calldata, logs and storage writes of every transaction of a chain and looks for words about health, for hashes of what
can be guessed, for fields that hold no digest, for the secrets of a file, and for what links two relationships of one
patient beyond what docs/privacy.md declares. Deployments of contracts are left out. The endpoint must have the
prestateTracer; npm start's own chain has, for its newest few hundred blocks.
  --rpc URL          JSON-RPC endpoint of the chain
  --deployment FILE  where the contracts are (.salus/deployments/CHAIN_ID.json)
  --secrets FILE     what must not be found; its form is in docs/privacy.md
  --from-block N     first block to read (default: 0)
  --without-storage  read calldata and logs alone; for a chain that cannot trace transactions so old
  --json             print one JSON object instead of text

Exit code: 0 nothing was found, 1 something was, or an error with a code, 2 wrong use.`

const OPTIONS = {
  rpc: { type: 'string' },
  deployment: { type: 'string' },
  secrets: { type: 'string' },
  'from-block': { type: 'string', default: '0' },
  'without-storage': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false }
} as const

const values = readOptions()
const fromBlock = Number(values?.['from-block'])
if (values?.rpc == null || values.deployment == null || values.help || !Number.isSafeInteger(fromBlock)) {
  console.log(HELP)
  process.exitCode = values?.help === true ? 0 : 2
} else {
  const { rpc, deployment, secrets, json } = values
  try {
    const report = await run({ rpc, deployment, secrets, withStorage: !values['without-storage'] })
    if (json) console.log(JSON.stringify(report))
    else print(report)
    if (report.findings.length + report.links.length > 0) process.exitCode = 1
  } catch (error) {
    if (!isSalusError(error)) throw error
    if (json) console.log(JSON.stringify({ code: error.code, message: error.message }))
    else console.error(`${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}

function readOptions() {
  try {
    return parseArgs({ options: OPTIONS }).values
  } catch {
    return undefined
  }
}

async function run(files: {
  rpc: string
  deployment: string
  secrets: string | undefined
  withStorage: boolean
}): Promise<Report> {
  const wanted = await loadWanted(files.secrets)
  const deployment = await loadDeployment(files.deployment)
  const words = HEALTH_WORDS.map((value): Secret => ({ kind: 'text', name: `health word ${value}`, value }))
  const declared = await readDeclared({ ...wanted, deployment })
  const provider = await connect(files.rpc)
  try {
    const all = await readTransactions(provider, { fromBlock, withStorage: files.withStorage })
    return search(all, {
      needles: needlesOf([...words, ...wanted.secrets]),
      guesses: guessableDigests(),
      sides: wanted.relationships.map(({ name, ids }) => ({ name, seen: about(all, ids) })),
      declared,
      decode: await openDecoder(deployment)
    })
  } finally {
    provider.destroy()
  }
}

function print({ transactions, findings, links }: Report): void {
  console.log(`${String(transactions)} transactions were read.`)
  for (const { needle, place, hash } of findings) console.log(`found: ${needle}, in the ${place} of ${hash}`)
  for (const { between, shared } of links) console.log(`linked: ${between.join(' and ')} share ${shared}`)
  if (findings.length + links.length === 0) console.log('Nothing was found.')
}
