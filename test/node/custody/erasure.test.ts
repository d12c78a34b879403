import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { currentGeneration } from '#core/agent/patient-state.ts'
import { certifyErasure } from '#core/custody/attestation.ts'
import { signErasure } from '#core/custody/erasure.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeMessage, encodeMessage } from '#core/network/envelope.ts'
import { dayOf } from '#core/record/day.ts'
import { leafOf } from '#core/record/day-tree.ts'
import { decodeEntry } from '#core/record/entry.ts'
import { compartmentTag } from '#core/record/generation.ts'
import { openEntry, type SealedEntry } from '#core/record/seal-entry.ts'
import { decodeSlot } from '#core/record/slot.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { openDatabase } from '#node/store/database.ts'
import { osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import {
  createTestWorld,
  messageOf,
  noteOf,
  readRequest,
  until,
  type TestNode,
  type TestWorld
} from '#test/node/http/world.ts'

describe('an erasure', function () {
  this.timeout(120_000)
  let world: TestWorld
  let nodes: TestNode[]
  let patient: DemoPatient
  let note: SealedEntry
  let other: SealedEntry
  let erasure: Uint8Array

  before(async () => {
    world = await createTestWorld()
    const first = await world.node()
    nodes = [first, await world.node({ peers: [first.multiaddr], relayer: 2 })]
    nodes.push(await world.node({ peers: [first.multiaddr], relayer: 3 }))
    patient = await world.patient(first)
    note = noteOf(patient)
    other = noteOf(patient)
    await first.client.publish(messageOf(world.network, patient, note))
    await first.client.publish(messageOf(world.network, patient, other))
    for (const { client } of nodes) await until(async () => (await client.status()).messages === 2)
    erasure = signErasure(
      p,
      {
        network: world.network,
        patient: patient.state.patient,
        day: dayOf(Date.now()),
        nonce: osRandom(16),
        entries: [note.cid]
      },
      patient.keys
    )
  })

  after(async () => {
    await world.stop()
  })

  /** Looks for an entry in a copy of a node's disk, with every key that its patient has, and opens it if it is there. */
  async function openFromDisk({ dataDir }: TestNode, { headerBytes }: SealedEntry): Promise<string | undefined> {
    const copy = await mkdtemp(join(tmpdir(), 'salus-disk-'))
    await cp(join(dataDir, 'db'), copy, { recursive: true })
    const db = await openDatabase(copy)
    try {
      for await (const bytes of db.values()) {
        const message = readMessage(bytes)
        if (message?.kind !== 'entry' || toHex(message.header) !== toHex(headerBytes)) continue
        const { header } = decodeEntry(message.header)
        const { key } = currentGeneration(patient.state, 'vitals')
        const opened = openEntry(p, {
          headerBytes: message.header,
          slotBytes: message.slot,
          blob: message.blob!,
          leafKey: leafOf(p, key, header.day),
          tag: compartmentTag(p, key, 'vitals')
        })
        return new TextDecoder().decode(opened.content.body)
      }
      return undefined
    } finally {
      await db.close()
      await rm(copy, { recursive: true, force: true })
    }
  }

  function readMessage(bytes: Uint8Array) {
    try {
      return decodeMessage(Uint8Array.from(bytes), world.network)
    } catch (error) {
      if (isSalusError(error)) return undefined
      throw error
    }
  }

  /** The node's files that hold the wrapped key of an entry's slot, whatever they are. */
  async function filesWith({ dataDir }: TestNode, { slotBytes }: SealedEntry): Promise<string[]> {
    const { wrapped } = decodeSlot(slotBytes)
    const found: string[] = []
    for (const file of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue
      // The database may have replaced it meanwhile.
      const bytes = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0))
      if (bytes.includes(Buffer.from(wrapped))) found.push(file.name)
    }
    return found
  }

  const peerIdsOf = async (): Promise<Uint8Array[]> =>
    Promise.all(nodes.map(async ({ client }) => peerIdFromString((await client.status()).peerId).toMultihash().bytes))

  it('finds an entry that every disk gives to who has its keys', async () => {
    for (const node of nodes) {
      expect(await openFromDisk(node, note)).to.equal('resting heart rate seventy-two')
      expect(await filesWith(node, note)).to.not.deep.equal([])
    }
  })

  it('is carried out and attested by every keeper that hears of it, and names those that do not', async () => {
    await nodes[0]!.client.publish(encodeMessage({ kind: 'erasure', network: world.network, erasure }))
    const digest = toHex(p.sha256(erasure))
    const attestations: Uint8Array[] = []
    for (const { client } of nodes) {
      await until(async () => client.attestation(digest).then(Boolean, () => false))
      attestations.push(await client.attestation(digest))
    }
    const keepers = await peerIdsOf()
    const { attested, missing, wrong } = certifyErasure(p, erasure, attestations, keepers)
    expect(attested.map(({ had }) => had)).to.deep.equal([1, 1, 1])
    expect([missing, wrong]).to.deep.equal([[], []])
    const few = certifyErasure(p, erasure, attestations.slice(1), keepers)
    expect(few.missing).to.deep.equal([keepers[0]])
    const strangers = certifyErasure(p, new Uint8Array(1), [...attestations, Uint8Array.of(1)], keepers)
    expect(strangers).to.deep.equal({ attested: [], missing: keepers, wrong: [0, 1, 2, 3] })
  })

  it('leaves nothing on any disk that opens the entry, and other entries as they were', async () => {
    for (const node of nodes) {
      expect(await openFromDisk(node, note)).to.equal(undefined)
      expect(await filesWith(node, note)).to.deep.equal([])
      expect(await openFromDisk(node, other)).to.equal('resting heart rate seventy-two')
      const authorization = await readRequest(node, patient, patient.state.patient, null)
      const { entries } = await node.client.queryEntries({ authorization })
      expect(entries.map(({ header }) => toHex(header))).to.deep.equal([toHex(other.headerBytes)])
      const once = await readRequest(node, patient, patient.state.patient, null)
      const { notices, next } = await node.client.queryNotices({ authorization: once })
      expect(notices.map(({ kind, body }) => [kind, toHex(body)])).to.deep.equal([['erasure', toHex(erasure)]])
      expect(next).to.equal(null)
    }
  })

  it('keeps the entry from coming back: by who has it still, by a peer, or after a restart', async () => {
    const message = messageOf(world.network, patient, note)
    for (const { client } of nodes) await expectCode('ENTRY_ERASED', async () => client.publish(message))
    await nodes[2]!.stop()
    const again = await world.node({ dataDir: nodes[2]!.dataDir, peers: [nodes[0]!.multiaddr], relayer: 3 })
    await expectCode('ENTRY_ERASED', async () => again.client.publish(message))
    const late = await world.node({ peers: [nodes[0]!.multiaddr], relayer: 4 })
    await until(async () => (await late.client.status()).messages === 2)
    const digest = toHex(p.sha256(erasure))
    await until(async () => late.client.attestation(digest).then(Boolean, () => false))
    expect(await filesWith(late, note)).to.deep.equal([])
  })

  it('erases nothing of another patient, and is refused unsigned', async () => {
    const forged = Uint8Array.from(erasure)
    forged[forged.length - 1]! ^= 1
    await expectCode('ERASURE_SIGNATURE', async () =>
      nodes[0]!.client.publish(encodeMessage({ kind: 'erasure', network: world.network, erasure: forged }))
    )
  })
})
