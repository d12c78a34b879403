import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Deployment } from '#core/chain/deployment.ts'
import { readMap, readText, readUint } from '#core/encoding/shape.ts'
import { SalusError } from '#core/error.ts'
import type { DeploymentProgress } from '#scripts/deploy/deploy.ts'

const AREA = 'DEPLOYMENT'

/** Where a chain's deployment is kept under a data folder. */
export function deploymentPath(dataDir: string, chainId: number): string {
  return join(dataDir, 'deployments', `${String(chainId)}.json`)
}

/**
 * What is known of an earlier deployment: one that was cut short, or else the finished one, of whatever version of Salus.
 *
 * @throws SalusError `DEPLOYMENT_MALFORMED` if a file is not JSON; `DEPLOYMENT_SHAPE` if it names no chain, block or addresses
 */
export async function loadKnown(path: string): Promise<DeploymentProgress | undefined> {
  const begun = await readJson(progressPath(path))
  if (begun !== undefined) {
    const map = readMap(begun, AREA, ['chainId', 'blockNumber', 'addresses'])
    return progressOf(map, record(map['addresses'], 'addresses'))
  }
  const finished = await readJson(path)
  if (finished === undefined) return undefined
  const map = record(finished, 'deployment')
  const contracts = Object.entries(record(map['contracts'], 'contracts'))
  return progressOf(map, Object.fromEntries(contracts.map(([name, value]) => [name, record(value, name)['address']])))
}

/** Keeps what is about to be deployed, so that after a crash the block it began at is known. */
export async function saveProgress(path: string, progress: DeploymentProgress): Promise<void> {
  await writeDurably(progressPath(path), progress)
}

/** Keeps a finished deployment; one of another network that was there is kept beside it. */
export async function saveDeployment(path: string, deployment: Deployment): Promise<void> {
  const earlier = await readJson(path)
  if (earlier !== undefined) {
    const networkId = record(earlier, 'deployment')['networkId']
    if (typeof networkId === 'string' && networkId !== deployment.networkId) {
      await rename(path, `${path}.${networkId.replace(/[^0-9a-f]/g, '').slice(0, 16)}`)
    }
  }
  await writeDurably(path, deployment)
  await rm(progressPath(path), { force: true })
}

function progressPath(path: string): string {
  return `${path}.begun`
}

function progressOf(map: Record<string, unknown>, addresses: Record<string, unknown>): DeploymentProgress {
  return {
    chainId: readUint(map['chainId'], AREA, 'chainId'),
    blockNumber: readUint(map['blockNumber'], AREA, 'blockNumber'),
    addresses: Object.fromEntries(Object.entries(addresses).map(([name, at]) => [name, readText(at, AREA, name, 42)]))
  }
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new SalusError('DEPLOYMENT_SHAPE', `Refused: "${field}" must be a map.`)
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
