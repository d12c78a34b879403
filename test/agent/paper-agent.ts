import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concat, keccak256 } from 'ethers'
import { CID } from 'multiformats/cid'
import { createAgent, type Agent } from '#agent/agent.ts'
import type { ChainFacts } from '#agent/chain/chain-facts.ts'
import { createGlassShelf } from '#agent/glass/glass.ts'
import { createOutbox } from '#agent/network/outbox.ts'
import { createJournals } from '#agent/record/journal.ts'
import { createKeeper } from '#agent/vault/keeper.ts'
import { foldRecordOnChain, type DatedEvent } from '#core/agent/record-on-chain.ts'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { grantIdOf } from '#core/grant/document.ts'
import { judge } from '#core/network/accept.ts'
import { decodeMessage, entryKeyOf, messageKey, type Message } from '#core/network/envelope.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import type { NodeClient, SignedRequest, StoredEntry } from '#node/http/client.ts'
import { createLog } from '#node/log.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { PaperChain, PaperStore, paperDeployment } from '#test/core/network/accept-world.ts'

/** A node and a chain in maps, which take what real ones take; a test makes them refuse what it likes. */
export class PaperNetwork {
  readonly deployment = paperDeployment()
  readonly chain = new PaperChain()
  readonly store = new PaperStore()
  readonly events: DatedEvent[] = []
  readonly messages = new Map<string, Message>()
  readonly gone = new Set<string>()
  readonly blobs = new Map<string, Uint8Array>()
  /** Called before the node takes something; what it throws the agent gets to see. */
  before: (what: 'relay' | Message['kind'] | 'blob') => void = () => undefined

  constructor(nowMs: number) {
    this.chain.timeS = Math.floor(nowMs / 1000)
  }

  /** Puts an event on the chain. */
  add(event: ChainEvent): void {
    this.chain.add(event)
    this.events.push({ event, timeS: this.chain.timeS })
  }

  private relay({ method, args }: SignedRequest): void {
    const text = (i: number): Hex => String(args[i]) as Hex
    if (method === 'register') {
      const patient = keccak256(concat([keccak256(text(0)), text(2)])) as Hex
      this.add({ name: 'PatientRegistered', patient, signer: text(0), keyBundle: text(1) })
    }
    if (method === 'grant' || method === 'grantWithAccount') {
      const grantId = toHex(grantIdOf(fromHex(text(0), 32), fromHex(text(2), 32)))
      const known = this.events.some(({ event }) => event.name === 'Granted' && event.grantId === grantId)
      if (!known) this.add({ name: 'Granted', patient: text(0), grantId, terms: BigInt(text(1)) })
    }
    if (method.startsWith('revoke')) {
      const [patient, grantId] = [text(0), text(1)]
      if (this.chain.view().grant(grantId)?.revokedAtS == null) this.add({ name: 'Revoked', patient, grantId })
    }
  }

  private publish(bytes: Uint8Array): void {
    const message = decodeMessage(bytes, fromHex(this.deployment.networkId, 32))
    this.before(message.kind)
    if (this.messages.has(messageKey(message))) return
    const judged = judge(message, {
      p,
      deployment: this.deployment,
      chain: this.chain.view(),
      store: this.store,
      provenance: 'live'
    })
    if (judged.verdict !== 'accept') throw new SalusError(judged.code, 'Refused on paper.')
    this.store.take(judged.accepted)
    this.messages.set(messageKey(message), message)
    if (judged.accepted.kind !== 'erasure') return
    // Their places stay empty, as in a log.
    for (const name of judged.accepted.names) this.gone.add(entryKeyOf(CID.parse(name)))
  }

  entries(): StoredEntry[] {
    return [...this.messages].flatMap(([key, message], i) => {
      if (message.kind !== 'entry' || this.gone.has(key)) return []
      const { header, slot, evidence } = message
      const blob = message.blob ?? this.blobs.get(decodeEntry(header).header.blob.toString()) ?? null
      return [{ position: i + 1, header, slot, evidence, blob }]
    })
  }

  /** The node as an agent sees it, which may be cut off from it. */
  client(isAway: () => boolean): NodeClient {
    const status = { peerId: '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN' }
    const client: Partial<NodeClient> = {
      status: async () =>
        Promise.resolve({ ...status, chain: { blockNumber: 1, blockTimeS: this.chain.timeS } } as never),
      relay: async request => {
        this.before('relay')
        this.relay(request)
        return Promise.resolve({ status: 'applied', txHash: null, blockNumber: 1 } as never)
      },
      publish: async bytes => {
        await Promise.resolve()
        this.publish(bytes)
        return {} as never
      },
      putBlob: async (cid, bytes) => {
        await Promise.resolve()
        this.before('blob')
        this.blobs.set(cid, bytes)
      },
      queryEntries: async ({ after = 0, limit = Number.POSITIVE_INFINITY }) => {
        const later = this.entries().filter(({ position }) => position > after)
        const entries = later.slice(0, limit)
        return Promise.resolve({ entries, next: later.length > limit ? (entries.at(-1)?.position ?? null) : null })
      },
      queryNotices: async ({ after = 0 }) => {
        const notices = [...this.messages.values()].flatMap((message, i) =>
          message.kind === 'erasure' ? [{ position: i + 1, kind: message.kind, body: message.erasure }] : []
        )
        return Promise.resolve({ notices: notices.filter(({ position }) => position > after), next: null })
      }
    }
    return new Proxy(client as NodeClient, {
      get: (target, name): unknown => {
        if (isAway()) throw new SalusError('NODE_UNREACHABLE', 'Away on paper.')
        return Reflect.get(target, name)
      }
    })
  }

  /** What agents hear of the chain. */
  facts(): ChainFacts {
    const facts: Partial<ChainFacts> = {
      events: async () => Promise.resolve(this.events),
      recordOf: async patient => Promise.resolve(foldRecordOnChain(this.deployment, patient, this.events)),
      headTimeS: async () => Promise.resolve(this.chain.timeS)
    }
    return facts as ChainFacts
  }
}

/** An agent over a real vault and outbox in a folder of its own. */
export async function openPaperAgent(
  network: PaperNetwork,
  nowMs: () => number,
  isAway: () => boolean = () => false
): Promise<{ agent: Agent; close(): Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), 'salus-paper-'))
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  const keeper = createKeeper({ p, random, stretch: nativeStretch }, { home, cost: { logN: 14, r: 8, p: 1 } })
  const journals = createJournals({ p, random }, { home })
  const agent = createAgent({
    ...{ p, random, clock: nowMs, stretch: nativeStretch, log: createLog({ name: 'paper', level: 'silent' }) },
    ...{ deployment: network.deployment, node: network.client(isAway), chain: network.facts(), keeper, journals },
    outbox: createOutbox({ p, random }, { folder: join(home, 'outbox') }),
    claimed: createOutbox({ p, random }, { folder: join(home, 'claimed') }),
    shelf: createGlassShelf({ p, random, keeper }, { folder: home })
  })
  await agent.createVault('correct horse battery staple', 'paper')
  return {
    agent,
    async close() {
      await keeper.lock()
      await journals.close()
      await rm(home, { recursive: true })
    }
  }
}
