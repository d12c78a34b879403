import { readFile } from 'node:fs/promises'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { SalusError } from '#core/error.ts'

/**
 * Reads the file that says where a network's contracts are.
 *
 * @throws SalusError `DEPLOYMENT_FILE` if it is missing or not JSON; `DEPLOYMENT_SHAPE`, `DEPLOYMENT_NETWORK`
 */
export async function loadDeployment(path: string): Promise<Deployment> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new SalusError('DEPLOYMENT_FILE', `${path} is no deployment file; "npm run deploy" makes one.`, { cause })
  }
  return readDeployment(json)
}
