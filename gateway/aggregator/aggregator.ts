/**
 * Collects the heads of many gateways and anchors one root over them each epoch (docs/specs/super-root.md). It can be late or leave
 * a gateway out; it can change nothing, for heads are signed and each gateway checks its path.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock, Primitives } from '#core/crypto/primitives.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { decodeEvidence } from '#core/identity/evidence.ts'
import { decodeKeyBundle, keyBundleDigest } from '#core/identity/key-bundle.ts'
import { superRootCall, type AnchorTarget, type SuperRootSigner } from '#core/batch/anchor-calls.ts'
import {
  decodeGatewayHead,
  verifyGatewayHead,
  type GatewayHead,
  type SignedGatewayHead
} from '#core/batch/gateway-head.ts'
import { buildSuperRoot } from '#core/batch/super-root.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'
import type { Log } from '#node/log.ts'
import {
  decodeEpoch,
  decodeHeadCall,
  encodeEpoch,
  MAX_EPOCH_HEADS,
  type Epoch
} from '#gateway/aggregator/epoch-file.ts'
import type { RootedHead } from '#gateway/aggregator-port.ts'
import { openJournal, type Journal } from '#gateway/journal.ts'
import type { NodePort } from '#gateway/node-port.ts'
import { untilDone } from '#gateway/retry.ts'

const DEADLINE_S = 3600

/** Epochs whose places are answered from memory; a gateway asks within minutes. */
const KEPT_EPOCHS = 24

/** What an aggregator needs. */
export interface AggregatorComponents {
  readonly p: Primitives
  readonly clock: Clock
  readonly log: Log
  /** Relays the root, and knows which keys are registered for a gateway. */
  readonly node: Pick<NodePort, 'relay' | 'gateway'>
  readonly target: AnchorTarget
  readonly signer: SuperRootSigner
}

/** What it is told. */
export interface AggregatorInit {
  readonly dataDir: string
  /** Heads of other networks are refused. */
  readonly network: Uint8Array
  readonly epochMs: number
  readonly onEpoch?: (epoch: { readonly epoch: number; readonly count: number; readonly blockNumber: number }) => void
}

/** A running aggregator. */
export interface Aggregator {
  /** Opens its folder and begins; what was decided and not anchored is anchored first. */
  start(): Promise<void>
  /**
   * Takes a head in; it is durable when the promise resolves. The same head again changes nothing.
   *
   * @throws SalusError `HEAD_CALL_*`, `GATEWAY_HEAD_*`, `EVIDENCE_*`, `KEY_BUNDLE_*` if it is malformed; `AGGREGATOR_REFUSED` if it is of another
   * network, not signed by the keys that are registered for the gateway, or behind what the gateway handed in before; `AGGREGATOR_BUSY`
   */
  submit(call: Uint8Array): Promise<void>
  /** Where a head lies; undefined while it is not anchored. */
  find(gateway: string, sequence: number): RootedHead | undefined
  stop(): Promise<void>
}

/** Makes an aggregator. */
export function createAggregator(components: AggregatorComponents, init: AggregatorInit): Aggregator {
  const { p, clock, log, node, target, signer } = components
  const { dataDir, network, epochMs } = init
  const stopping = new AbortController()
  const { signal } = stopping
  /** The newest head of each gateway that waits for the next epoch. */
  const waiting = new Map<string, SignedGatewayHead>()
  /** The newest head of each gateway, waiting or anchored. */
  const newest = new Map<string, GatewayHead>()
  const certificates = new Map<string, Uint8Array>()
  const places = new Map<string, RootedHead>()
  let journal: Journal | undefined
  let epoch = 0
  let loop: Promise<void> | undefined

  const epochPath = (number: number): string => join(dataDir, `epoch-${String(number)}`)

  async function load(): Promise<void> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const numbers = (await readdir(dataDir)).flatMap(name => /^epoch-(\d+)$/.exec(name)?.[1] ?? []).map(Number)
    for (const number of numbers.sort((a, b) => a - b).slice(-KEPT_EPOCHS)) {
      const bytes = await readIfThere(epochPath(number))
      if (bytes == null) continue
      const known = decodeEpoch(bytes)
      for (const { bytes: head } of known.heads) note(decodeGatewayHead(head))
      epoch = number
      if (known.blockNumber != null) keepPlaces(known, known.blockNumber)
      else await anchor(known)
    }
    journal = await openJournal(join(dataDir, `heads-${String(epoch)}`))
    for (const record of journal.records) {
      const { signed } = decodeHeadCall(record)
      const head = decodeGatewayHead(signed.bytes)
      note(head)
      waiting.set(toHex(head.gateway), signed)
    }
  }

  function note(head: GatewayHead): void {
    const gateway = toHex(head.gateway)
    if (head.sequence >= (newest.get(gateway)?.sequence ?? 0)) newest.set(gateway, head)
  }

  /** The keys that sign for a gateway, as the chain has them. */
  async function requireRegistered(gateway: string, bundle: Uint8Array): Promise<void> {
    const digest = keyBundleDigest(bundle)
    const known = certificates.get(gateway)
    if (known != null && equalBytes(known, digest)) return
    const { certificate } = await node.gateway(gateway)
    if (certificate !== toHex(digest)) refuse('these are not the keys that are registered for the gateway')
    if (certificates.size >= MAX_EPOCH_HEADS) certificates.clear()
    certificates.set(gateway, digest)
  }

  async function anchor(decided: Epoch): Promise<void> {
    const { root, count } = buildSuperRoot(p, decided.heads)
    const sent = await untilDone(
      async () => {
        const deadlineS = Math.floor(clock() / 1000) + DEADLINE_S
        return node.relay(await superRootCall(target, signer, { epoch: decided.epoch, count, root }, deadlineS))
      },
      { what: 'anchoring a super-root', log, signal }
    )
    if (sent == null) return
    await writeDurably(epochPath(decided.epoch), encodeEpoch({ ...decided, blockNumber: sent.blockNumber }))
    keepPlaces(decided, sent.blockNumber)
    init.onEpoch?.({ epoch: decided.epoch, count, blockNumber: sent.blockNumber })
  }

  function keepPlaces({ epoch: number, heads }: Epoch, blockNumber: number): void {
    const { root, count, paths } = buildSuperRoot(p, heads)
    for (const path of paths) {
      const { gateway, sequence } = decodeGatewayHead(path.signed.bytes)
      const place = { path, aggregator: signer.signer, epoch: number, root, count, blockNumber }
      places.set(`${toHex(gateway)}/${String(sequence)}`, place)
    }
    for (const [key, place] of places) if (place.epoch <= number - KEPT_EPOCHS) places.delete(key)
  }

  /** What waits becomes an epoch: on the disk before the chain hears of it, so that after a crash the same root is sent again. */
  async function closeEpoch(): Promise<void> {
    if (waiting.size === 0) return
    const decided = { epoch: epoch + 1, heads: [...waiting.values()], blockNumber: null }
    await writeDurably(epochPath(decided.epoch), encodeEpoch(decided))
    epoch = decided.epoch
    waiting.clear()
    const before = journal
    journal = await openJournal(join(dataDir, `heads-${String(epoch)}`))
    await before?.close()
    await anchor(decided)
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await pause(epochMs, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await closeEpoch()
    }
  }

  return {
    async start() {
      await load()
      loop = run()
      loop.catch((error: unknown) => log.error({ err: error }, 'the aggregator cannot go on'))
    },
    async submit(call) {
      const { signed, evidence } = decodeHeadCall(call)
      const head = decodeGatewayHead(signed.bytes)
      const { bundle } = decodeEvidence(evidence)
      if (!equalBytes(head.network, network)) refuse('the head is of another network')
      if (!verifyGatewayHead(p, signed, decodeKeyBundle(bundle).sign)) refuse('the gateway did not sign this head')
      const gateway = toHex(head.gateway)
      await requireRegistered(gateway, bundle)
      const before = newest.get(gateway)
      if (before != null && isSame(before, head)) return
      const follows = before == null || (head.sequence > before.sequence && head.treeSize >= before.treeSize)
      if (!follows) refuse('the gateway handed in a later head before')
      if (journal == null || (waiting.size >= MAX_EPOCH_HEADS && !waiting.has(gateway))) {
        throw new SalusError('AGGREGATOR_BUSY', 'The aggregator takes no more heads for now.')
      }
      note(head)
      waiting.set(gateway, signed)
      await journal.append(call)
    },
    find: (gateway, sequence) => places.get(`${gateway}/${String(sequence)}`),
    async stop() {
      stopping.abort()
      await loop?.catch(() => undefined)
      await journal?.close()
    }
  }
}

function isSame(before: GatewayHead, head: GatewayHead): boolean {
  const { sequence, treeSize, root } = head
  return before.sequence === sequence && before.treeSize === treeSize && equalBytes(before.root, root)
}

function refuse(why: string): never {
  throw new SalusError('AGGREGATOR_REFUSED', `Refused: ${why}.`)
}

/** Tells whether an error is the caller's fault. */
export function isRefusal(error: unknown): boolean {
  return isSalusError(error) && error.code !== 'AGGREGATOR_BUSY' && !/^(NODE|CHAIN|JOURNAL)_/.test(error.code)
}
