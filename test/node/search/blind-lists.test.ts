import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { planReplacement } from '#core/agent/patient-revocation.ts'
import { createAgentlessPostings, type Postings } from '#test/node/search/postings.ts'
import { DAG_CBOR_CODEC, cidOfDigest } from '#core/record/cid.ts'
import { askBlind } from '#core/search/blind-index.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { createBlindClient, type BlindClient } from '#node/http/client-blind.ts'
import { createBlindLists } from '#node/search/blind-lists.ts'
import { openDatabase, openTable } from '#node/store/database.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nowS, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { createTestWorld, readRequest, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'

const PULSE = { field: 'code', value: '8867-4', quarter: '2026Q4' } as const
const nameOf = (number: number): CID => cidOfDigest(DAG_CBOR_CODEC, p.sha256(utf8(String(number))))

describe('blind lists at a node', function () {
  this.timeout(60_000)
  let world: TestWorld
  let node: TestNode
  let patient: DemoPatient
  let client: BlindClient
  let postings: Postings

  before(async () => {
    world = await createTestWorld()
    node = await world.node()
    patient = await world.patient(node)
    client = createBlindClient({ url: node.url })
    postings = createAgentlessPostings(patient)
  })

  after(async () => {
    await world.stop()
  })

  const own = async () => readRequest(node, patient, patient.state.patient, null)

  async function search(authorize: () => Promise<Uint8Array> = own): Promise<string[]> {
    const found = await askBlind(p, postings.index, {
      term: PULSE,
      author: patient.keys.bundle.sign,
      ask: async ({ tag, generation }, blindTag) => {
        const [list] = await client.ask({ authorization: await authorize(), tag, generation, blindTags: [blindTag] })
        return list ?? undefined
      }
    })
    return found.map(String)
  }

  it('are found by who may read, also after a restart', async () => {
    expect(await search()).to.deep.equal([])
    postings.add(PULSE, nameOf(1))
    await client.put({ authorization: await own(), lists: postings.seal() })
    const { clinician, grantId } = await world.grantee(node, patient, 1)
    const { dataDir } = node
    await node.stop()
    node = await world.node({ dataDir })
    client = createBlindClient({ url: node.url })
    expect(await search()).to.deep.equal([nameOf(1).toString()])
    const theirs = async () => readRequest(node, clinician, patient.state.patient, grantId)
    expect(await search(theirs)).to.deep.equal([nameOf(1).toString()])
  })

  it('are taken from the patient alone, in order, once', async () => {
    postings.add(PULSE, nameOf(2))
    const older = postings.seal()
    postings.add(PULSE, nameOf(3))
    const newer = postings.seal()
    const authorization = await own()
    await client.put({ authorization, lists: newer })
    await expectCode('READ_REPLAYED', async () => client.put({ authorization, lists: newer }))
    // Whoever did not hear the answer may send them again.
    await client.put({ authorization: await own(), lists: newer })
    await expectCode('BLIND_LIST_STALE', async () => client.put({ authorization: await own(), lists: older }))
    const { clinician, grantId } = await world.grantee(node, patient, 3)
    const writer = async () => readRequest(node, clinician, patient.state.patient, grantId)
    await expectCode('BLIND_LIST_AUTHOR', async () => client.put({ authorization: await writer(), lists: newer }))
    const theirs = createAgentlessPostings(patient, clinician)
    theirs.add(PULSE, nameOf(9))
    await expectCode('BLIND_LIST_AUTHOR', async () => client.put({ authorization: await own(), lists: theirs.seal() }))
    const forged = newer[0]!.slice()
    forged[forged.length - 1]! ^= 1
    await expectCode('BLIND_LIST_SIGNATURE', async () => client.put({ authorization: await own(), lists: [forged] }))
    expect(await search()).to.have.lengthOf(3)
  })

  it('end with the generation of their keys', async () => {
    const by = { state: patient.state, keys: patient.keys, target: world.chain.deployment }
    const { rotationBytes, state } = await planReplacement(p, osRandom, by, { compartments: ['vitals'], nowS: nowS() })
    await node.client.publish(encodeMessage({ kind: 'rotation', network: world.network, rotation: rotationBytes }))
    await until(async () => (await search()).length === 0)
    postings.add(PULSE, nameOf(4))
    await expectCode('BLIND_LIST_RETIRED', async () =>
      client.put({ authorization: await own(), lists: postings.seal() })
    )
    patient.state = state
  })
})

describe('the table of blind lists', () => {
  it('holds the lists and nothing else, as many as a patient may have, and drops what was retired while it was shut', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'salus-blind-'))
    const db = await openDatabase(dir)
    const postings = createAgentlessPostings()
    const retired = new Set<string>()
    const isRetired = (_: Uint8Array, tag: Uint8Array): boolean => retired.has(toHex(tag))
    const { network, patient, tag } = postings.index.place
    const lists = createBlindLists({ p, db, network, isRetired }, { maxPerPatient: 2 })
    await lists.start()
    const by = { patient, author: postings.author }
    postings.add(PULSE, nameOf(1))
    postings.add({ ...PULSE, quarter: '2026Q3' }, nameOf(2))
    const sealed = postings.seal()
    await lists.put(by, sealed)
    const rows = await openTable(db, 'blind-lists').iterator().all()
    expect(rows.map(([, bytes]) => toHex(Uint8Array.from(bytes)))).to.have.members(sealed.map(toHex))
    for (const [key] of rows) expect(key).to.match(new RegExp(`^${toHex(patient)}/${toHex(tag)}/0x[0-9a-f]{24}$`))
    postings.add({ ...PULSE, quarter: '2026Q2' }, nameOf(3))
    await expectCode('BLIND_LIST_FULL', async () => lists.put(by, postings.seal()))
    postings.add(PULSE, nameOf(4))
    await lists.put(by, postings.seal())
    retired.add(toHex(tag))
    await lists.start()
    expect(await openTable(db, 'blind-lists').keys().all()).to.deep.equal([])
    await lists.stop()
    await db.close()
    await rm(dir, { recursive: true })
  })
})
