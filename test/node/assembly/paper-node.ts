import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { encodeMessage, type Message } from '#core/network/envelope.ts'
import { cidOfDigest, RAW_CODEC } from '#core/record/cid.ts'
import { decodeEntry, signEntry, type EntryHeader } from '#core/record/entry.ts'
import { encodeSlot, sealSlot } from '#core/record/slot.ts'
import { openAcceptIndex, type AcceptIndex } from '#node/assembly/accept-index.ts'
import { createAcceptor, type Acceptor, type AcceptorInit, type Origin } from '#node/assembly/acceptor.ts'
import { openPending, type Pending } from '#node/assembly/pending.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createBlockstore, type DiskBlockstore } from '#node/store/blocks.ts'
import { openDatabase, type Database } from '#node/store/database.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import { osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { DAY, type AcceptWorld } from '#test/core/network/accept-world.ts'
import { silentLog } from '#test/node/chain/test-chain.ts'

/** What takes messages in, over a chain on paper and a real disk. */
export interface PaperNode {
  readonly db: Database
  readonly messages: MessageLog
  readonly index: AcceptIndex
  readonly pending: Pending
  readonly blockstore: DiskBlockstore
  readonly acceptor: Acceptor
  /** A block has come. */
  block(): void
  /** Another acceptor over the same store, as after a restart; it is not started. */
  again(): Promise<{ readonly acceptor: Acceptor; readonly index: AcceptIndex }>
  stop(): Promise<void>
}

const NO_HASH = `0x${'00'.repeat(32)}` as const

export const byGossip: Origin = { provenance: 'live', waitMs: 2_000, mayQueue: true, from: 'a' }
export const bySync: Origin = { provenance: 'replicated', waitMs: 0, mayQueue: true, from: 'b' }
export const byHttp: Origin = { provenance: 'live', waitMs: 5_000, mayQueue: false }

/** Opens a node that follows the chain of a world. */
export async function openPaperNode(world: AcceptWorld, init: AcceptorInit = {}): Promise<PaperNode> {
  const directory = await mkdtemp(join(tmpdir(), 'salus-paper-'))
  const db = await openDatabase(join(directory, 'db'))
  const messages = createMessageLog({ db })
  const index = await openAcceptIndex(db)
  const pending = await openPending(db)
  const blockstore = createBlockstore({ db, directory: join(directory, 'blocks') })
  await blockstore.start()
  const handlers = new Set<() => void>()
  const follower: Parameters<typeof createAcceptor>[0]['follower'] = {
    view: () => world.chain.view(),
    onBlock: handler => {
      const block = { number: 1, hash: NO_HASH, timeS: world.chain.timeS }
      const wake = (): void => handler({ block, events: [] })
      handlers.add(wake)
      return () => handlers.delete(wake)
    }
  }
  const { deployment } = world
  const acceptor = createAcceptor(
    { p, deployment, follower, messages, index, pending, blockstore, log: silentLog },
    init
  )
  await acceptor.start()
  const again: PaperNode['again'] = async () => {
    const fresh = await openAcceptIndex(db)
    const components = { p, deployment, follower, messages, index: fresh, pending, blockstore, log: silentLog }
    return { acceptor: createAcceptor(components, init), index: fresh }
  }
  return {
    again,
    db,
    messages,
    index,
    pending,
    blockstore,
    acceptor,
    block: () => handlers.forEach(wake => wake()),
    async stop() {
      await acceptor.stop()
      await messages.stop()
      await index.stop()
      await blockstore.stop()
      await db.close()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** An entry by a patient that names a blob of any CID and size, without the blob. */
export function entryNaming(author: DemoPatient, blob: EntryHeader['blob'], sizeBytes: number): Uint8Array {
  const content = { type: 'text/plain', recordedAtMs: 0, body: Uint8Array.of(1) }
  const sealed = sealAsPatient(p, osRandom, author, { compartment: 'vitals', day: DAY, content })
  const { header } = decodeEntry(sealed.headerBytes)
  const headerBytes = signEntry(p, { ...header, blob, sizeBytes }, author.keys.signSeed)
  const { network, patient } = header
  const slot = sealSlot(p, osRandom, {
    network,
    patient,
    entryCid: decodeEntry(headerBytes).cid,
    leafKey: osRandom(32),
    contentKey: osRandom(32),
    author: header.author,
    signSeed: author.keys.signSeed
  })
  const message: Message = {
    kind: 'entry',
    network,
    header: headerBytes,
    slot: encodeSlot(slot),
    evidence: author.evidence,
    blob: null
  }
  return encodeMessage(message)
}

/** A CID of no known bytes. */
export function someCid(): EntryHeader['blob'] {
  return cidOfDigest(RAW_CODEC, osRandom(32))
}
