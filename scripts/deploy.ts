/** `npm run deploy`: puts the contracts on any chain and keeps their addresses. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { FetchRequest, JsonRpcProvider, NonceManager, Wallet } from 'ethers'
import { isSalusError, SalusError } from '#core/error.ts'
import { createLog } from '#node/log.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { deploymentPath, loadKnown, saveDeployment, saveProgress } from '#scripts/deploy/file.ts'
import { planDeployment } from '#scripts/deploy/plan.ts'

const HELP = `Usage: npm run deploy -- --rpc URL --key-file FILE [--out FILE | --data DIR] [--dry-run] [--json]

Deploys what is not yet on the chain; run again, it changes nothing or goes on where it stopped.
  --rpc URL        JSON-RPC endpoint of the chain
  --key-file FILE  private key of the account that pays, 32 bytes in hexadecimal
  --out FILE       where the addresses are kept (default: DIR/deployments/CHAIN_ID.json)
  --data DIR       folder of the default file (default: .salus)
  --dry-run        send nothing; say what would be deployed, where, for how much gas
  --json           print one JSON object instead of text`
const RPC_TIMEOUT_MS = 10_000

const { values } = parseArgs({
  options: {
    rpc: { type: 'string' },
    'key-file': { type: 'string' },
    out: { type: 'string' },
    data: { type: 'string', default: '.salus' },
    'dry-run': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
if (values.help || values.rpc == null || values['key-file'] == null) {
  console.log(HELP)
  process.exitCode = values.help ? 0 : 2
} else {
  try {
    await run(values.rpc, values['key-file'])
  } catch (error) {
    if (!isSalusError(error)) throw error
    if (values.json) console.log(JSON.stringify({ code: error.code, message: error.message }))
    else console.error(`${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}

async function run(rpcUrl: string, keyFile: string): Promise<void> {
  const provider = await connect(rpcUrl)
  try {
    const wallet = await readWallet(keyFile)
    const signer = new NonceManager(wallet.connect(provider))
    const path = values.out ?? deploymentPath(values.data, Number((await provider.getNetwork()).chainId))
    const known = await loadKnown(path)
    if (values['dry-run']) {
      const sender = { address: wallet.address, nonce: await signer.getNonce('pending') }
      const contracts: object[] = []
      for (const { name, address, creationCode } of await planDeployment(provider, sender, known?.addresses ?? {})) {
        const gas = creationCode == null ? 0n : await provider.estimateGas({ from: wallet.address, data: creationCode })
        contracts.push({ contract: name, address, deploys: creationCode != null, gas: Number(gas) })
      }
      print({ path, contracts }, () => console.table(contracts))
      return
    }
    const deployment = await deployAll({
      provider,
      signer,
      log: createLog({ name: 'deploy', level: values.json ? 'warn' : 'info' }),
      ...(known == null ? {} : { known }),
      onPlanned: progress => saveProgress(path, progress)
    })
    await saveDeployment(path, deployment)
    print({ path, deployment }, () => {
      for (const [name, { address }] of Object.entries(deployment.contracts))
        console.log(`${name.padEnd(18)}${address}`)
      console.log(`Kept in ${path}`)
    })
  } finally {
    provider.destroy()
  }
}

/** The chain behind a URL; asked once, so that a wrong URL is said at once instead of being tried for ever. */
async function connect(rpcUrl: string): Promise<JsonRpcProvider> {
  const request = new FetchRequest(rpcUrl)
  request.timeout = RPC_TIMEOUT_MS
  try {
    const probe = request.clone()
    probe.body = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }
    const answer = (await probe.send()).bodyJson as { result: string }
    return new JsonRpcProvider(request, Number(answer.result), { staticNetwork: true, pollingInterval: 250 })
  } catch (cause) {
    throw new SalusError('DEPLOY_RPC', 'No chain answers at the given URL; see that it runs and the URL is right.', {
      cause
    })
  }
}

async function readWallet(keyFile: string): Promise<Wallet> {
  try {
    return new Wallet((await readFile(keyFile, 'utf8')).trim())
  } catch (cause) {
    // ethers puts no key into its errors, but a file system's error names the path, which is wanted.
    throw new SalusError('DEPLOY_KEY', 'The key file cannot be read, or is not 32 bytes in hexadecimal.', { cause })
  }
}

function print(result: unknown, text: () => void): void {
  if (values.json) console.log(JSON.stringify(result))
  else text()
}
