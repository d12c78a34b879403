import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CONTRACT_NAMES, type ContractName } from '#core/chain/contract-names.ts'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import type { DeploymentProgress } from '#scripts/deploy/deploy.ts'
import type { KnownAddresses } from '#scripts/deploy/plan.ts'

/** Where a chain's deployment is kept under a data folder. */
export function deploymentPath(dataDir: string, chainId: number): string {
  return join(dataDir, 'deployments', `${String(chainId)}.json`)
}

/**
 * What is known of an earlier deployment: the finished one, or else one that was cut short.
 *
 * @throws SalusError `DEPLOYMENT_MALFORMED` if a file is not JSON, or as {@link readDeployment}
 */
export async function loadKnown(path: string): Promise<DeploymentProgress | undefined> {
  const begun = await readJson(progressPath(path))
  if (begun !== undefined) return readProgress(begun)
  const finished = await readJson(path)
  if (finished === undefined) return undefined
  const { chainId, blockNumber, contracts } = readDeployment(finished)
  return { chainId, blockNumber, addresses: mapNames(name => contracts[name].address) }
}

/** Keeps what is about to be deployed, so that a crash leaves nothing behind that is not found again. */
export async function saveProgress(path: string, progress: DeploymentProgress): Promise<void> {
  await writeDurably(progressPath(path), progress)
}

/** Keeps a finished deployment. */
export async function saveDeployment(path: string, deployment: Deployment): Promise<void> {
  await writeDurably(path, deployment)
  await rm(progressPath(path), { force: true })
}

function progressPath(path: string): string {
  return `${path}.begun`
}

function readProgress(json: unknown): DeploymentProgress {
  const map = readMap(json, 'DEPLOYMENT', ['chainId', 'blockNumber', 'addresses'])
  const addresses = readMap(map['addresses'], 'DEPLOYMENT', CONTRACT_NAMES)
  return {
    chainId: readUint(map['chainId'], 'DEPLOYMENT', 'chainId'),
    blockNumber: readUint(map['blockNumber'], 'DEPLOYMENT', 'blockNumber'),
    addresses: mapNames(name => readText(addresses[name], 'DEPLOYMENT', name, 42))
  }
}

function mapNames(addressOf: (name: ContractName) => string): KnownAddresses {
  return Object.fromEntries(CONTRACT_NAMES.map(name => [name, addressOf(name)]))
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SalusError('DEPLOYMENT_MALFORMED', `${path} is not a deployment; restore it or name another file.`, {
      cause
    })
  }
}

/** Whole or not at all, also when the power goes. */
async function writeDurably(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(`${JSON.stringify(value, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
