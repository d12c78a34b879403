/** A gateway: takes readings in, batches, signs, seals, publishes and anchors them, and goes on where it was killed. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock, Primitives, Random } from '#core/crypto/primitives.ts'
import { networkIdOfDeployment, type Deployment } from '#core/chain/deployment.ts'
import { equalBytes, fromHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { DEFAULT_CADENCE, type AnchorCadence } from '#core/batch/anchor-cadence.ts'
import type { BatchRecord } from '#core/batch/record.ts'
import type { Log } from '#node/log.ts'
import type { AggregatorPort } from '#gateway/aggregator-port.ts'
import { anchorAll } from '#gateway/anchor-loop.ts'
import { openBatchFiles, type BatchFiles } from '#gateway/batch-files.ts'
import { signIntent, type SignedBatch } from '#gateway/batcher.ts'
import type { GatewayEvent } from '#gateway/events.ts'
import type { GatewayIdentity } from '#gateway/identity.ts'
import { createIntake, type Intake } from '#gateway/intake.ts'
import { openLedger, type Ledger } from '#gateway/ledger.ts'
import type { NodePort } from '#gateway/node-port.ts'
import { inOrder } from '#gateway/in-order.ts'
import { createMonitorMemory, type MonitorMemory } from '#gateway/monitor-memory.ts'
import {
  NO_MONITOR,
  type Arrival,
  type LiveSource,
  type MakeMonitor,
  type MonitorPort,
  type ReadingSource
} from '#gateway/ports.ts'
import { createProgress, type Progress } from '#gateway/progress.ts'
import { publishAll } from '#gateway/publish-loop.ts'
import { adoptBatches } from '#gateway/recovery.ts'
import { untilDone } from '#gateway/retry.ts'
import { createSealingKeys } from '#gateway/sealing-keys.ts'
import { cursorOf, type GatewayState } from '#gateway/state.ts'
import { witnessAll } from '#gateway/witness-loop.ts'
import type { WitnessPlace } from '#gateway/witness-client.ts'

/** What a gateway needs. */
export interface GatewayComponents {
  readonly p: Primitives
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  /** Without a node it signs batches and keeps them; nothing is published or anchored. */
  readonly node: NodePort | null
  readonly identity: GatewayIdentity
  /** Which network; null only without a node. */
  readonly deployment: Deployment | null
  readonly sources: readonly ReadingSource[]
  readonly live?: readonly LiveSource[]
  /** Judges readings; without it nothing is judged. */
  readonly makeMonitor?: MakeMonitor
  readonly aggregator?: AggregatorPort
  /** Price of a unit of gas in wei, where it is known. */
  readonly gasPrice?: () => Promise<bigint | null>
  /** Evidence for each entry (core/identity/evidence.ts). */
  readonly evidence: Uint8Array
}

/** What it is told. */
export interface GatewayInit {
  readonly dataDir: string
  /** The patient's grant to write vitals, 32 bytes. */
  readonly grant: Uint8Array
  /** Digest of the patient's key bundle, 32 bytes, as the patient shows it: capsules of anyone else are refused. */
  readonly patientKeys: Uint8Array
  /** Length of a batch on the device's clock; a batch without readings is made as well. */
  readonly batchSeconds: number
  /** An anchor after each so many batches, and at the end; without it by risk and price. */
  readonly anchorEvery?: number
  readonly cadence?: AnchorCadence
  /** How long an aggregator may take before the gateway anchors by itself, ms. */
  readonly aggregatorSlaMs?: number
  readonly witnesses?: readonly WitnessPlace[]
  /** Shortest time between two cosigned checkpoints, ms. */
  readonly witnessEveryMs?: number
  /** The sources are recordings that are played faster than time: they are taken in the order of their clocks. */
  readonly isReplay?: boolean
  /** Ends once everything of the source is published and anchored; otherwise silence is batched too. */
  readonly exitAtEnd: boolean
  /** Signed batches that stay on the disk in clear, so that the gateway can prove their readings. */
  readonly keepBatches: number
  readonly onEvent: (event: GatewayEvent) => void
}

/** A running gateway. */
export interface Gateway {
  /** Opens the data directory and begins. */
  start(): Promise<void>
  /** Resolves when it has ended by itself; fails where it cannot go on. */
  readonly ended: Promise<void>
  /** What it remembers; undefined before the start and after the stop. */
  state(): GatewayState | undefined
  /** Logs an act of the operator; resolves when it is durable. */
  audit(act: Uint8Array): Promise<void>
  /** Ends cleanly: what was taken in is on the disk. */
  stop(): Promise<void>
}

/** Arrivals of one recording that may wait for the disk at once. */
const MAX_UNFLUSHED = 256

const TICK_MS = 1000
const DEFAULT_SLA_MS = 120_000
const DEFAULT_WITNESS_EVERY_MS = 30_000

/** Whose readings they are, and in which network, while there is no node to tell. */
const NOBODY = new Uint8Array(32)

/** Makes a gateway. */
export function createGateway(components: GatewayComponents, init: GatewayInit): Gateway {
  const stopping = new AbortController()
  const { signal } = stopping
  let ledger: Ledger | undefined
  let intake: Intake | undefined
  let loops: Promise<void> | undefined
  const { promise: ended, resolve, reject } = Promise.withResolvers<undefined>()
  // Whoever does not wait for the end still learns of a failure from `stop`.
  ended.catch(() => undefined)

  return {
    ended,
    state: () => ledger?.state,
    async start() {
      ledger = await openLedger(init.dataDir)
      const files = await openBatchFiles(init.dataDir)
      const running = { ledger, files, signal, abort: () => stopping.abort() }
      loops = runGateway(components, init, running, made => (intake = made))
      loops.then(() => resolve(undefined), reject)
    },
    async audit(act) {
      if (intake == null) throw new SalusError('GATEWAY_NOT_RUNNING', 'The gateway does not take anything in yet.')
      const records = [{ kind: 'audit', atMs: components.clock(), body: act } as const]
      await intake.accept({
        source: '(operator)',
        next: 0,
        deviceTimeMs: Number.MIN_SAFE_INTEGER,
        readings: [],
        records
      })
    },
    async stop() {
      stopping.abort()
      await loops?.catch(() => undefined)
      await ledger?.close()
      ledger = undefined
      intake = undefined
    }
  }
}

interface Running {
  readonly ledger: Ledger
  readonly files: BatchFiles
  readonly signal: AbortSignal
  readonly abort: () => void
}

async function runGateway(
  components: GatewayComponents,
  init: GatewayInit,
  running: Running,
  onIntake: (intake: Intake) => void
): Promise<void> {
  const { node, deployment } = components
  const { ledger, signal } = running
  const network = deployment == null ? NOBODY : networkIdOfDeployment(deployment)
  const known = { ...components, ...running, network }
  const progress = createProgress()
  const outward = node == null || deployment == null ? undefined : { node, deployment }
  const keys = outward == null ? undefined : await firstKeys({ ...known, ...outward }, init)
  if (outward == null && ledger.state.patient == null) {
    await ledger.record({ type: 'patient', patient: { id: NOBODY, keyBundle: NOBODY } })
  }
  // Still unknown only if the gateway was stopped meanwhile.
  if (ledger.state.patient == null) return
  const memory = createMonitorMemory(init.dataDir)
  const monitor =
    components.makeMonitor?.({ patient: ledger.state.patient.id, snapshot: await memory.read() }) ?? NO_MONITOR
  const shared = { ...known, monitor, memory, onEvent: init.onEvent }
  const loops = [takeIn(shared, init, progress, onIntake)]
  if (outward != null && keys != null) {
    const outer = { ...shared, ...outward }
    const { aggregatorSlaMs = DEFAULT_SLA_MS, cadence = DEFAULT_CADENCE } = init
    loops.push(publishAll({ ...outer, keys, grant: init.grant }, init, progress, signal))
    loops.push(anchorAll(outer, { ...init, cadence, aggregatorSlaMs }, progress, signal))
  }
  const { witnesses = [], witnessEveryMs: everyMs = DEFAULT_WITNESS_EVERY_MS, exitAtEnd } = init
  loops.push(witnessAll(shared, { witnesses, everyMs, exitAtEnd }, progress, signal))
  try {
    await Promise.all(loops)
  } catch (error) {
    // One cannot go on: the others end before the failure is reported, so that nothing writes any more.
    running.abort()
    await Promise.allSettled(loops)
    throw error
  }
  if (!signal.aborted) init.onEvent({ event: 'end' })
}

/** The keys of the grant; fetched before anything is taken in where it is not known yet whose readings these are. */
async function firstKeys(
  {
    p,
    clock,
    log,
    node,
    identity,
    deployment,
    ledger,
    network,
    signal
  }: Omit<GatewayComponents, 'node' | 'deployment'> &
    Running & { readonly node: NodePort; readonly deployment: Deployment; readonly network: Uint8Array },
  { grant, patientKeys }: GatewayInit
): Promise<ReturnType<typeof createSealingKeys>> {
  const contract = fromHex(deployment.contracts.AccessGrants.address, 20)
  const onPatient = async (patient: NonNullable<GatewayState['patient']>): Promise<void> =>
    rememberPatient(ledger, patient)
  const keys = createSealingKeys({ p, clock, node, identity }, { network, contract, grant, patientKeys, onPatient })
  if (ledger.state.patient == null) {
    await untilDone(async () => keys.refresh(), { what: 'fetching the keys of the grant', log, signal })
  }
  return keys
}

/** The first capsule tells whose readings these are, ever after. The patient's keys may change: the operator names them. */
async function rememberPatient(ledger: Ledger, patient: NonNullable<GatewayState['patient']>): Promise<void> {
  const known = ledger.state.patient
  if (known != null && !equalBytes(known.id, patient.id)) {
    throw new SalusError(
      'GATEWAY_PATIENT',
      'The keys of the grant are of another patient than before; they are not used.'
    )
  }
  if (known == null || !equalBytes(known.keyBundle, patient.keyBundle))
    await ledger.record({ type: 'patient', patient })
}

type Taking = GatewayComponents &
  Running & { readonly monitor: MonitorPort; readonly memory: MonitorMemory; readonly network: Uint8Array }

async function takeIn(
  shared: Taking,
  { batchSeconds, exitAtEnd, isReplay = false, onEvent }: GatewayInit,
  progress: Progress,
  onIntake: (intake: Intake) => void
): Promise<void> {
  const { ledger, sources, live = [], log, signal, monitor, memory } = shared
  // A replay's time is not the next run's.
  const remember = (): void => {
    if (!isReplay) memory.keep(monitor.snapshot())
  }
  const onBatch = (batch: SignedBatch): void => {
    onEvent({ event: 'batch', ...batch })
    remember()
    progress.move()
  }
  const onNoticed = (records: readonly BatchRecord[]): void => {
    onEvent({ event: 'noticed', records })
    remember()
  }
  const intake = createIntake(shared, { batchSeconds, onBatch, onNoticed })
  if (ledger.state.intent != null) onBatch(await signIntent(shared))
  const adopted = await adoptBatches(shared, deviceTimeMs => intake.spanOf(deviceTimeMs))
  if (adopted > 0) log.warn({ batches: adopted }, 'signed batches were found that a damaged journal no longer told of')
  onIntake(intake)
  const failed = new AbortController()
  const arriving = AbortSignal.any([signal, failed.signal])
  const fail = (error: unknown): void => failed.abort(error)
  const started: LiveSource[] = []
  // Of a replay the recording tells the time.
  const ticking = isReplay ? Promise.resolve() : tick(intake, arriving, fail)
  try {
    for (const source of live) {
      await source.start(async arrival => intake.accept(arrival))
      started.push(source)
    }
    const placeOf = (source: string): number => cursorOf(ledger.state, source)
    const all = isReplay
      ? [inOrder(sources, placeOf, arriving)]
      : sources.map(source => source.arrivals(placeOf(source.name), arriving))
    await Promise.all(all.map(async arrivals => drain(arrivals, { intake, fail })))
    failed.signal.throwIfAborted()
    if (signal.aborted) return
    if (live.length === 0) {
      await intake.closePending()
      progress.sourcesEnded = true
      progress.move()
    }
    // The sources are silent, or bring what they have when they have it; silence is signed as well.
    while ((!exitAtEnd || live.length > 0) && (await elapsed(batchSeconds * 1000, arriving))) await intake.closeOpen()
    failed.signal.throwIfAborted()
  } finally {
    for (const source of started) await source.stop()
    failed.abort()
    await ticking
    await memory.flush()
  }
}

/** Takes in all that comes. A failure to write ends the arrivals, and is thrown behind them. */
async function drain(
  arrivals: AsyncIterable<Arrival>,
  { intake, fail }: { readonly intake: Intake; readonly fail: (error: unknown) => void }
): Promise<void> {
  let unflushed: Promise<void>[] = []
  for await (const arrival of arrivals) {
    unflushed.push(intake.accept(arrival).catch(fail))
    if (unflushed.length >= MAX_UNFLUSHED) {
      await Promise.all(unflushed)
      unflushed = []
    }
  }
  await Promise.all(unflushed)
}

async function tick(intake: Intake, signal: AbortSignal, fail: (error: unknown) => void): Promise<void> {
  while (await elapsed(TICK_MS, signal)) await intake.tick().catch(fail)
}

/** A pause; false if the signal ended it. */
async function elapsed(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal })
    return true
  } catch {
    // It fails for one reason only: the signal.
    return false
  }
}
