/** `salus gateway run`: from sensors or recordings to signed, published, anchored batches. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '#core/encoding/bytes.ts'
import { shippedPack } from '#core/clinical/packs/shipped.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLog, type Log } from '#node/log.ts'
import { createAdapterSource } from '#gateway/adapter-source.ts'
import { openRecording } from '#gateway/adapters/files/open.ts'
import { createMonitorPort } from '#gateway/clinical/monitor-port.ts'
import { createReporter } from '#gateway/cli/report.ts'
import { currentEvidence, storedDeployment, unboundEvidence } from '#gateway/cli/folder.ts'
import { outwardOf, type Outward, type RunOptions } from '#gateway/cli/run-options.ts'
import { createGateway, type Gateway, type GatewayComponents } from '#gateway/gateway.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import { createHealthServer, createHealthWatch } from '#gateway/health.ts'
import { loadOrCreateGateway, type GatewayIdentity } from '#gateway/identity.ts'
import type { MakeMonitor, ReadingSource } from '#gateway/ports.ts'

const clock = (): number => Date.now()
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const WEI_PER_GWEI = 1e9
const MS_PER_MINUTE = 60_000

/** Everybody who is told of alarms, in order: one person with one channel, until an order says otherwise. */
const CHAIN = [1]

/** Runs until the end of the recordings, a signal, or what it cannot go on with. */
export async function runGateway(options: RunOptions): Promise<void> {
  const outward = outwardOf(options)
  const passing = options.data == null ? await mkdtemp(join(tmpdir(), 'salus-gateway-')) : undefined
  const data = options.data ?? passing ?? ''
  try {
    await runOver(data, options, outward)
  } finally {
    if (passing != null) await rm(passing, { recursive: true, force: true })
  }
}

async function runOver(data: string, options: RunOptions, outward: Outward | null): Promise<void> {
  const { json, report, health, replay, speed } = options
  // Nothing but the report on standard output, and on standard error what went wrong.
  const log = createLog({ name: 'gateway', ...(report == null ? {} : { level: 'warn' }) })
  const identity = await loadOrCreateGateway(p, data)
  const isReplay = replay.length > 0 && speed !== 1
  const beganMs = clock()
  // Grows with the run: for a report only.
  const reporter = report == null ? undefined : createReporter(beganMs)
  const watch = createHealthWatch(clock)
  const onEvent = (event: GatewayEvent): void => {
    reporter?.onEvent(event)
    watch.onEvent(event)
    if (report != null) return
    const told = event.event === 'noticed' ? { event: 'noticed', records: event.records.length } : event
    if (json) console.log(JSON.stringify(told))
    else log.info(told, event.event)
  }
  const makeMonitor: MakeMonitor = ({ patient, snapshot }) =>
    createMonitorPort(
      { p, random, clock },
      {
        gateway: identity.id,
        patient,
        signSeed: identity.keys.signSeed,
        pack: shippedPack(p),
        order: null,
        chain: CHAIN,
        watch: null,
        // The times of a replay begin anew with each run.
        ...(snapshot == null || isReplay ? {} : { snapshot }),
        onEvent: event => reporter?.onMonitorEvent(event)
      }
    )
  const stopping = new AbortController()
  const outside = await openOutside(data, options, outward, { identity, log, signal: stopping.signal })
  const isLinked = options.udp != null || options.mqtt != null
  // What a run does not use is not loaded: a gateway has little memory.
  const live = isLinked
    ? await (await import('#gateway/link-source.ts')).openLinks({ p, random, clock, log, identity, data }, options)
    : []
  const gateway = createGateway(
    {
      ...{ p, random, clock, log, identity, live, makeMonitor },
      ...outside.components,
      sources: sourcesOf(options, isReplay ? beganMs : undefined)
    },
    {
      dataDir: data,
      grant: outward?.grant ?? new Uint8Array(32),
      patientKeys: outward?.patientKeys ?? new Uint8Array(32),
      batchSeconds: options.batchSeconds,
      ...(options.anchorEvery == null ? {} : { anchorEvery: options.anchorEvery }),
      cadence: {
        routineMs: options.anchorMinutes * MS_PER_MINUTE,
        atRiskMs: options.anchorRiskMinutes * MS_PER_MINUTE,
        cheapWei: options.anchorBelowGwei == null ? null : BigInt(Math.round(options.anchorBelowGwei * WEI_PER_GWEI))
      },
      aggregatorSlaMs: options.aggregatorSlaSeconds * 1000,
      witnesses: options.witness,
      isReplay,
      exitAtEnd: options.exitAtEnd || report != null,
      keepBatches: options.keepBatches,
      onEvent
    }
  )
  const server = health == null ? undefined : createHealthServer(() => watch.read(gateway.state()), health)
  try {
    const url = await server?.start()
    if (json)
      console.log(
        JSON.stringify({ event: 'ready', gateway: toHex(identity.id), ...(url == null ? {} : { health: url }) })
      )
    await untilEnded(gateway, stopping)
    if (reporter != null) console.log(JSON.stringify(reporter.report()))
  } finally {
    await server?.stop()
    await outside.close()
  }
}

/** Starts the gateway and waits for its end; a signal stops it. */
async function untilEnded(gateway: Gateway, stopping: AbortController): Promise<void> {
  const stop = (): void => {
    stopping.abort()
    void gateway.stop()
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    await gateway.start()
    await gateway.ended
  } finally {
    process.off('SIGTERM', stop)
    process.off('SIGINT', stop)
    await gateway.stop()
  }
}

function sourcesOf({ replay, device, speed, hertz }: RunOptions, beganMs: number | undefined): ReadingSource[] {
  return replay.map((path, i) => {
    const name = i === 0 ? device : `${device}-${String(i + 1)}`
    const adapter = openRecording({ clock }, path, { device: name, speed, ...(hertz == null ? {} : { hertz }) })
    return createAdapterSource(adapter, { device: name, ...(beganMs == null ? {} : { beganMs }) })
  })
}

type Outside = Pick<GatewayComponents, 'node' | 'deployment' | 'evidence' | 'aggregator' | 'gasPrice'>

/** Node, chain and aggregator of a run that has them. */
async function openOutside(
  data: string,
  { peer, aggregator, rpc }: RunOptions,
  outward: Outward | null,
  { identity, log, signal }: { readonly identity: GatewayIdentity; readonly log: Log; readonly signal: AbortSignal }
): Promise<{ readonly components: Outside; close(): Promise<void> }> {
  if (outward == null) {
    return {
      components: { node: null, deployment: null, evidence: await unboundEvidence(data, identity) },
      close: async () => Promise.resolve()
    }
  }
  const deployment = await storedDeployment(data)
  const { createNodeClient } = await import('#node/http/client.ts')
  const { createAggregatorClient } = await import('#gateway/aggregator-client.ts')
  const client = createNodeClient({ url: outward.node, signal })
  const peerPort = peer == null ? undefined : await import('#gateway/peer-port.ts')
  const port = await peerPort?.openPeerPort({ clock, log }, { dataDir: data, peer: peer ?? '' })
  const chainRpc = rpc == null ? undefined : await import('#node/chain/chain-rpc.ts')
  const provider = chainRpc?.createProvider(rpc ?? '', deployment.chainId)
  const components: Outside = {
    node: port == null ? client : { ...client, publish: async message => port.publish(message) },
    deployment,
    evidence: await currentEvidence(data, identity, deployment),
    ...(aggregator == null ? {} : { aggregator: createAggregatorClient({ url: aggregator, signal }) }),
    ...(provider == null
      ? {}
      : {
          gasPrice: async () =>
            provider
              .getFeeData()
              .then(({ gasPrice }) => gasPrice)
              .catch(() => null)
        })
  }
  return {
    components,
    async close() {
      provider?.destroy()
      await port?.stop()
    }
  }
}
