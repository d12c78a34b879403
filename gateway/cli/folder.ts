/** What the commands of a gateway read from its data directory. */
import { join } from 'node:path'
import { readDeployment, type Deployment } from '#core/chain/deployment.ts'
import { SalusError } from '#core/error.ts'
import { decodeEvidence, encodeEvidence } from '#core/identity/evidence.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'
import { signEvidence, type GatewayIdentity } from '#gateway/identity.ts'

const DEPLOYMENT_FILE = 'deployment.json'
const RENEW_BEFORE_S = 30 * 86_400

/** The statement that binds the gateway's keys to its wallet, made anew when it has less than a month to go. */
export async function currentEvidence(
  data: string,
  identity: GatewayIdentity,
  deployment: Deployment
): Promise<Uint8Array> {
  const path = join(data, 'evidence')
  const stored = await readIfThere(path)
  const notAfter = stored == null ? 0 : (decodeEvidence(stored).binding?.notAfter ?? 0)
  if (stored != null && notAfter > Date.now() / 1000 + RENEW_BEFORE_S) return stored
  const evidence = await signEvidence(identity, deployment, Date.now())
  await writeDurably(path, evidence)
  return evidence
}

/** The key bundle of a gateway that has no network yet, bound to no wallet; verifiers of its batches read it. */
export async function unboundEvidence(data: string, { keys }: GatewayIdentity): Promise<Uint8Array> {
  const path = join(data, 'evidence')
  const stored = await readIfThere(path)
  if (stored != null) return stored
  const evidence = encodeEvidence({ bundle: keys.bundleBytes })
  await writeDurably(path, evidence)
  return evidence
}

/** Keeps the file that says which contracts make up the network. */
export async function storeDeployment(data: string, bytes: Uint8Array): Promise<Deployment> {
  const deployment = parseDeployment(bytes)
  await writeDurably(join(data, DEPLOYMENT_FILE), bytes)
  return deployment
}

/** @throws SalusError `GATEWAY_NOT_INITIALISED` where there is none, `DEPLOYMENT_*` if it is damaged */
export async function storedDeployment(data: string): Promise<Deployment> {
  const bytes = await readIfThere(join(data, DEPLOYMENT_FILE))
  if (bytes == null)
    throw new SalusError('GATEWAY_NOT_INITIALISED', 'Run "salus gateway init" for this directory first.')
  return parseDeployment(bytes)
}

function parseDeployment(bytes: Uint8Array): Deployment {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new SalusError('DEPLOYMENT_SHAPE', 'The deployment file is not JSON; deploy again or restore it.', { cause })
  }
  return readDeployment(json)
}
