/** From the configuration to the parts of a node: what is read from files is read here, and secrets are checked first. */
import type { JsonRpcProvider } from 'ethers'
import { readFinalityLevel } from '#core/chain/finality.ts'
import { SalusError } from '#core/error.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { createEndpoints } from '#node/chain/endpoints.ts'
import type { FollowerInit } from '#node/chain/follower.ts'
import type { RelayerInit } from '#node/chain/relayer.ts'
import { createHttpTransport } from '#node/chain/http-rpc.ts'
import { loadNetworkKey } from '#node/network/network-key.ts'
import type { AdmissionInit } from '#node/network/admission.ts'
import { endpointsOf } from '#node/config/endpoints.ts'
import { checkSecretFile } from '#node/config/secret-file.ts'
import type { NodeConfig } from '#node/config/schema.ts'
import type { CustodyInit } from '#node/custody/custody.ts'
import { readKeyFile } from '#node/firmware/keys.ts'
import type { Log } from '#node/log.ts'
import type { NodeComponents, NodeInit } from '#node/node.ts'
import { readIfThere } from '#node/store/durable-file.ts'

/** What `createNode` takes, apart from services and version. */
export interface NodeParts {
  readonly components: NodeComponents & { readonly provider: JsonRpcProvider }
  readonly init: Omit<NodeInit, 'services' | 'version'>
}

const HOUR_MS = 3_600_000
const MIB = 2 ** 20
const WEI_PER_GWEI = 10n ** 9n

/**
 * Reads what the configuration names.
 *
 * @throws SalusError `CONFIG_SECRET_FILE`, `CONFIG_SECRET_MODE`, `KEY_FILE_UNREADABLE`, `AUDITOR_FILE`, `DEPLOYMENT_*`, `KEY_BUNDLE_*`, `CHAIN_QUORUM_SIZE`
 */
export async function nodeParts(config: NodeConfig, log: Log): Promise<NodeParts> {
  const deployment = await loadDeployment(config.deployment)
  const { keyFile } = config.relayer
  if (keyFile != null) await checkSecretFile(keyFile)
  const key = keyFile == null ? undefined : await readKeyFile(keyFile)
  const custody = config.custody.enabled ? { custody: await custodyInit(config.custody) } : {}
  const { timeoutMs } = config.chain
  const rpc = await endpointsOf(config.chain)
  const follower = followerInit(config.chain, rpc.length)
  const endpoints = createEndpoints({
    transports: rpc.map(url => createHttpTransport(url, { timeoutMs })),
    clock: Date.now,
    log
  })
  const provider = createProvider(endpoints, deployment.chainId)
  const { listen, peers, mdns, relay, maxConnections, connectionsPerSecond, syncIntervalMs } = config.network
  const admission = await admissionInit(config.network)
  return {
    components: { provider, endpoints, deployment, log, ...(key == null ? {} : { wallet: key.connect(provider) }) },
    init: {
      dataDir: config.dataDir,
      host: { listen, peers, mdns, relay, admission, limits: { maxConnections, connectionsPerSecond } },
      http: httpInit(config.http),
      follower,
      relayer: relayerInit(config.relayer),
      disk: { reserveBytes: config.store.reserveMib * MIB },
      ...placementInit(config.placement),
      operators: operatorInit(config),
      syncIntervalMs,
      ...custody
    }
  }
}

function relayerInit(relayer: NodeConfig['relayer']): RelayerInit {
  const { maxPending, maxGas, gasPerSecond, gasAtOnce, stuckMs, maxFeeGwei, lowBalanceGwei, reserveGwei } = relayer
  const wei = (gwei: number | null): bigint | undefined => (gwei == null ? undefined : BigInt(gwei) * WEI_PER_GWEI)
  return {
    ...{ maxPending, maxGas, stuckMs },
    gasBudget: { perSecond: gasPerSecond, burst: gasAtOnce },
    maxFeePerGasWei: BigInt(maxFeeGwei) * WEI_PER_GWEI,
    lowBalanceWei: BigInt(lowBalanceGwei) * WEI_PER_GWEI,
    reserveWei: BigInt(reserveGwei) * WEI_PER_GWEI,
    dayBudgets: {
      allWei: wei(relayer.dayBudgetGwei),
      askerWei: wei(relayer.addressDayBudgetGwei),
      contractWei: wei(relayer.contractDayBudgetGwei)
    }
  }
}

function placementInit(placement: NodeConfig['placement']): Pick<NodeInit, 'placement'> {
  const { pledgedMib, patientMib, replicas, operator, region } = placement
  if (pledgedMib == null) return {}
  const patientBytes = patientMib == null ? {} : { patientBytes: patientMib * MIB }
  return { placement: { replicas, pledgedBytes: pledgedMib * MIB, operator, region, ...patientBytes } }
}

/** @throws SalusError `NETWORK_KEY_UNUSED` where there is a key that would not be used, and as {@link loadNetworkKey} */
async function admissionInit({ admission: mode, keyFile }: NodeConfig['network']): Promise<AdmissionInit> {
  if (mode === 'private') {
    if (keyFile == null) {
      throw new SalusError('NETWORK_KEY_MISSING', 'A private network needs its key: name its file in network.keyFile.')
    }
    await checkSecretFile(keyFile)
    return { mode, networkKey: await loadNetworkKey(keyFile) }
  }
  if (keyFile != null) {
    throw new SalusError('NETWORK_KEY_UNUSED', 'A network key is for private admission only; leave one of them out.')
  }
  return { mode }
}

/** @throws SalusError `CHAIN_QUORUM_SIZE` */
function followerInit(chain: NodeConfig['chain'], endpoints: number): FollowerInit {
  const { quorum, finality, confirmations, trustHeaders, proveAll, pollMs } = chain
  if (quorum != null && quorum > endpoints) {
    throw new SalusError(
      'CHAIN_QUORUM_SIZE',
      'As many endpoints cannot agree: name more in chain.rpc, or ask for fewer.'
    )
  }
  return {
    ...{ confirmations, trustHeaders, proveAll, pollMs },
    ...(finality == null ? {} : { finality: readFinalityLevel(finality) }),
    ...(quorum == null ? {} : { quorum })
  }
}

function httpInit(http: NodeConfig['http']): NodeInit['http'] {
  const { host, port, requestsPerSecond, requestsAtOnce, relaysPerSecond, relaysAtOnce } = http
  const { corsOrigins, trustedProxies, maxConnections } = http
  return {
    ...{ host, port, corsOrigins, trustedProxies, maxConnections },
    requests: { perSecond: requestsPerSecond, burst: requestsAtOnce },
    relays: { perSecond: relaysPerSecond, burst: relaysAtOnce }
  }
}

function operatorInit({ auth, events, metrics, http, store }: NodeConfig): NonNullable<NodeInit['operators']> {
  return {
    auth,
    events: { kept: events.replayEvents, maxReaders: events.maxReaders },
    isMetricsPublic: metrics.isPublic,
    ...(store.backupDir == null ? {} : { backupDir: store.backupDir, backupWarnMs: store.backupWarnHours * HOUR_MS }),
    scrubBytesPerSecond: store.scrubMibPerSecond * MIB,
    ...(http.publicUrl == null ? {} : { publicUrl: http.publicUrl })
  }
}

async function custodyInit({ finalityS, auditorFile }: NodeConfig['custody']): Promise<CustodyInit> {
  if (auditorFile == null) return { finalityS }
  const bundle = await readIfThere(auditorFile)
  if (bundle == null) throw new SalusError('AUDITOR_FILE', `There is no key bundle in ${auditorFile}.`)
  decodeKeyBundle(bundle)
  return { finalityS, auditor: bundle }
}
