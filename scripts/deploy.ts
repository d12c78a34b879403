/** `npm run deploy`: puts the contracts on any chain, says who governs them, and checks both. */
import { parseArgs } from 'node:util'
import { NonceManager, type JsonRpcProvider, type Wallet } from 'ethers'
import type { Deployment } from '#core/chain/deployment.ts'
import { isSalusError } from '#core/error.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { createLog } from '#node/log.ts'
import { connect, readWallet } from '#scripts/deploy/connect.ts'
import { DEFAULT_NETWORK } from '#scripts/deploy/create2.ts'
import { deployAll } from '#scripts/deploy/deploy.ts'
import { estimateDeployment } from '#scripts/deploy/estimate.ts'
import { deploymentPath, loadKnown, saveDeployment, saveProgress } from '#scripts/deploy/file.ts'
import { chooseGovernance } from '#scripts/deploy/governance/choose.ts'
import { handOver } from '#scripts/deploy/governance/set-up.ts'
import { printDeployment, printEstimate, printReport } from '#scripts/deploy/print.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'

const HELP = `Usage: npm run deploy -- --rpc URL --key-file FILE [options]
       npm run deploy:verify -- --rpc URL [options]

Deploys what is not yet on the chain and sets what is not yet set; run again, it changes nothing or goes on where it stopped.
The same account, network name and code give the same addresses on every chain.
  --rpc URL         JSON-RPC endpoint of the chain
  --key-file FILE   private key of the account that sets up and pays, 32 bytes in hexadecimal
  --profile NAME    consortium, public or dev (default: what an earlier run was told; dev on the embedded chain)
  --members FILE    who governs: {"governor": "0x…", "members": {"PAUSER": ["0x…"], …}}
  --network NAME    name that the addresses follow from (default: ${DEFAULT_NETWORK})
  --hand-over       then give the administration to the governor, for good
  --verify          send nothing; compare code, wiring, roles and delays on the chain with this tree and the profile
  --allow-no-p256   deploy where passkeys would cost 400,000 gas a signature
  --out FILE        where the addresses are kept (default: DIR/deployments/CHAIN_ID.json)
  --data DIR        folder of the default file (default: .salus)
  --dry-run         send nothing; say what would be deployed, where, for how much gas
  --json            print one JSON object instead of text`

const { values } = parseArgs({
  options: {
    rpc: { type: 'string' },
    'key-file': { type: 'string' },
    profile: { type: 'string' },
    members: { type: 'string' },
    network: { type: 'string' },
    'hand-over': { type: 'boolean', default: false },
    verify: { type: 'boolean', default: false },
    'allow-no-p256': { type: 'boolean', default: false },
    out: { type: 'string' },
    data: { type: 'string', default: '.salus' },
    'dry-run': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
const keyFile = values['key-file']
if (values.help || values.rpc == null || (keyFile == null && !values.verify)) {
  console.log(HELP)
  process.exitCode = values.help ? 0 : 2
} else {
  try {
    const provider = await connect(values.rpc)
    try {
      const path = values.out ?? deploymentPath(values.data, Number((await provider.getNetwork()).chainId))
      if (values.verify) await verify(provider, path)
      else await deploy(provider, path, await readWallet(keyFile ?? ''))
    } finally {
      provider.destroy()
    }
  } catch (error) {
    if (!isSalusError(error)) throw error
    if (values.json) console.log(JSON.stringify({ code: error.code, message: error.message }))
    else console.error(`${error.code}: ${error.message}`)
    process.exitCode = 1
  }
}

async function deploy(provider: JsonRpcProvider, path: string, wallet: Wallet): Promise<void> {
  const known = await loadKnown(path)
  // A file of an earlier version, or none: then the options alone say who governs.
  const earlier = await loadDeployment(path).catch(() => undefined)
  const [deployer, chainId] = [wallet.address, Number((await provider.getNetwork()).chainId)]
  const governance = await chooseGovernance(
    { profile: values.profile, members: values.members },
    { deployer, chainId, earlier }
  )
  const network = values.network ?? earlier?.origin?.network ?? DEFAULT_NETWORK
  if (values['dry-run']) {
    const inputs = { network, firstAdmin: deployer }
    const estimate = await estimateDeployment(provider, { inputs, governance, earlier })
    print({ path, ...estimate }, () => printEstimate(estimate))
    return
  }
  const signer = new NonceManager(wallet.connect(provider))
  const log = createLog({ name: 'deploy', level: values.json ? 'warn' : 'info' })
  const deployment = await deployAll({
    ...{ provider, signer, log, network, governance },
    allowNoP256: values['allow-no-p256'],
    ...(known == null ? {} : { known }),
    onPlanned: progress => saveProgress(path, progress)
  })
  await saveDeployment(path, deployment)
  if (!values['hand-over']) {
    print({ path, deployment }, () => printDeployment(path, deployment))
    return
  }
  const handedOver = await handOver({ provider, signer, log }, deployment)
  await report(provider, path, deployment, { handedOver })
}

async function verify(provider: JsonRpcProvider, path: string): Promise<void> {
  const recorded = await loadDeployment(path)
  const { origin, chainId } = recorded
  const { profile, members } = values
  if (origin == null || (members ?? profile) == null) return report(provider, path, recorded)
  const known = { deployer: origin.firstAdmin, chainId, earlier: recorded }
  const governance = await chooseGovernance({ profile, members }, known)
  return report(provider, path, { ...recorded, origin: { ...origin, governance } })
}

async function report(
  provider: JsonRpcProvider,
  path: string,
  deployment: Deployment,
  more: object = {}
): Promise<void> {
  const found = await verifyDeployment(provider, deployment)
  print({ path, deployment, ...more, ...found }, () => {
    printDeployment(path, deployment)
    printReport(found)
  })
  if (found.findings.length > 0) process.exitCode = 1
}

function print(result: unknown, text: () => void): void {
  if (values.json) console.log(JSON.stringify(result))
  else text()
}
