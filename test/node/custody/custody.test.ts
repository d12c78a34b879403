import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { combineReleases } from '#core/custody/combine.ts'
import { readConfirmation } from '#core/custody/confirmation.ts'
import { readOneTimeKeys } from '#core/custody/one-time.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { shareOut, type ShareOutInput } from '#core/custody/share-out.ts'
import { decodeCustodyAnswer } from '#core/custody/release-request.ts'
import { readCustodianCard } from '#core/custody/custodian-card.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { receiptLogOrigin } from '#core/receipts/origin.ts'
import { collectReceipts, type Collected } from '#core/receipts/collect.ts'
import { UNFOLLOWED, type LogAnchor } from '#core/receipts/follow.ts'
import { openEntryWithKey, type SealedEntry } from '#core/record/seal-entry.ts'
import { askCustodian } from '#node/custody/protocol.ts'
import type { NodeContext } from '#node/node.ts'
import { osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { tools } from '#test/core/custody/circle.ts'
import { createTestWorld, noteOf, readRequest, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'
import { custodyOf, inviteOnce, type Visitor } from '#test/node/custody/one-time.ts'

const { p } = tools
const FINALITY_S = 2

const bundleOf = ({ keys }: DemoPatient): { bundle: Uint8Array } => ({ bundle: keys.bundleBytes })

describe('three custodians', function () {
  this.timeout(120_000)
  let world: TestWorld
  let nodes: TestNode[]
  const contexts: NodeContext[] = []
  let patient: DemoPatient
  let entry: SealedEntry
  let visitor: Awaited<ReturnType<typeof inviteOnce>>

  before(async () => {
    world = await createTestWorld()
    nodes = []
    for (const relayer of [1, 2, 3]) {
      const services = (context: NodeContext): [] => {
        contexts.push(context)
        return []
      }
      nodes.push(await world.node({ relayer, custody: { finalityS: FINALITY_S, anchorMs: 200 }, services }))
    }
    patient = await world.patient(nodes[0]!)
    entry = noteOf(patient)
    for (const { client } of nodes) await untilKnows(client)
    visitor = await inviteOnce(world, patient, entry, nodes)
  })

  after(async () => {
    await world.stop()
  })

  async function untilKnows(client: TestNode['client']): Promise<void> {
    const { chain } = await nodes[0]!.client.status()
    while ((await client.status()).chain.blockNumber < chain.headNumber) await new Promise(done => setTimeout(done, 50))
  }

  const ask = async (node: TestNode, as?: Parameters<Visitor['request']>[1]) =>
    decodeCustodyAnswer(await custodyOf(node).release(await visitor.request(node, as)))

  async function receiptsOf(node: TestNode, before = UNFOLLOWED, anchor?: LogAnchor): Promise<Collected> {
    const card = readCustodianCard(p, await custodyOf(node).card(), world.network)
    const publicKey = decodeKeyBundle(card.bundle).sign
    const key = { origin: receiptLogOrigin(world.network, publicKey), publicKey }
    return await collectReceipts(p, custodyOf(node), before, { key, keys: patient.keys, anchor })
  }

  it('confirm their shares, each with its own key', async () => {
    const { planBytes, confirmations } = visitor
    for (const [index, confirmation] of confirmations.entries()) {
      const card = readCustodianCard(p, await custodyOf(nodes[index]!).card(), world.network)
      const keeper = decodeKeyBundle(card.bundle).sign
      expect(readConfirmation(p, confirmation, { planBytes, index, keeper }).keeper).to.deep.equal(keeper)
    }
  })

  it('give nothing, and write no receipt, before the grant is claimed', async () => {
    for (const node of nodes) await expectCode('GRANT_UNCLAIMED', async () => ask(node))
    expect((await receiptsOf(nodes[0]!)).receipts).to.deep.equal([])
  })

  it('give nothing while the claim is not final', async () => {
    await visitor.claim(nodes[0]!, nodes, 0)
    await expectCode('CUSTODY_NOT_FINAL', async () => ask(nodes[0]!))
  })

  it('give the key together, but not one alone, and leave receipts of it', async () => {
    const first = await untilFinal(nodes[0]!)
    const plan = decodeSharePlan(first.plan)
    const alone = await combineReleases(tools, plan, [first.release], visitor.keys)
    expect(alone).to.deep.equal({ payload: null, missing: 1, wrong: [] })
    const second = await untilFinal(nodes[2]!)
    const { payload } = await combineReleases(tools, plan, [first.release, second.release], visitor.keys)
    const of = { patient: patient.state.patient, grant: visitor.grantId }
    const { entries } = readOneTimeKeys(payload!, of)
    expect(entries[0]!.entry.equals(entry.cid)).to.equal(true)
    const { content } = openEntryWithKey(p, { ...entry, contentKey: entries[0]!.contentKey })
    expect(new TextDecoder().decode(content.body)).to.equal('resting heart rate seventy-two')
    for (const node of [nodes[0]!, nodes[2]!]) {
      const { receipts } = await receiptsOf(node)
      expect(receipts.at(-1)).to.deep.include({
        kind: 'share',
        patient: patient.state.patient,
        subject: visitor.grantId,
        rule: 'claim',
        reader: visitor.keys.bundle.sign,
        address: visitor.address
      })
    }
    expect((await receiptsOf(nodes[1]!)).receipts).to.deep.equal([])
  })

  async function untilFinal(node: TestNode) {
    for (;;) {
      const answer = await ask(node).catch((error: unknown) => error)
      if (!(answer instanceof Error) || !('code' in answer) || answer.code !== 'CUSTODY_NOT_FINAL') {
        if (answer instanceof Error) throw answer
        return answer as Awaited<ReturnType<typeof ask>>
      }
      await new Promise(done => setTimeout(done, 100))
    }
  }

  it('give it again to who has it, where the answer was lost, with one more receipt', async () => {
    await ask(nodes[0]!)
    expect((await receiptsOf(nodes[0]!)).receipts).to.have.length(2)
  })

  it('refuse a second claim: other keys of the same person, a stranger, a replay, another node’s request', async () => {
    const stranger = await deriveAgentKeys(p, osRandom(32), [2])
    await expectCode('EVIDENCE_AUTHOR', async () => ask(nodes[0]!, { keys: stranger, evidence: visitor.evidence }))
    const request = await visitor.request(nodes[1]!)
    await custodyOf(nodes[1]!).release(request)
    await expectCode('READ_REPLAYED', async () => custodyOf(nodes[1]!).release(request))
    await expectCode('READ_REQUEST_AUDIENCE', async () => custodyOf(nodes[0]!).release(request))
    // The chain has this use already: claiming it again gives nothing.
    await visitor.claim(nodes[0]!, nodes, 0)
    const others = await visitor.rebind()
    for (const node of nodes) await expectCode('CUSTODY_SPENT', async () => ask(node, others))
  })

  it('answer peers as they answer over HTTP', async () => {
    const { libp2p } = contexts[0]!.host
    const peer = multiaddr(nodes[1]!.multiaddr)
    const card = await askCustodian(libp2p, peer, { ask: 'card', body: new Uint8Array() })
    expect(card).to.deep.equal(await custodyOf(nodes[1]!).card())
    const answer = await askCustodian(libp2p, peer, { ask: 'release', body: await visitor.request(nodes[1]!) })
    expect(decodeCustodyAnswer(answer).plan).to.deep.equal(visitor.planBytes)
    const share = { ask: 'keep' as const, body: new Uint8Array(10) }
    await expectCode('SEALED_SHARE_TRAILING', async () => askCustodian(libp2p, peer, share))
  })

  it('refuse shares of others’ patients, of guardians, and what they had already', async () => {
    const card = readCustodianCard(p, await custodyOf(nodes[0]!).card(), world.network)
    const input = {
      ...{ network: world.network, patient: patient.state.patient, revision: 1, threshold: 2, notAfterS: null },
      payload: new Uint8Array(32),
      keepers: [{ bundle: card.bundle }, { bundle: card.bundle }],
      patientKeys: patient.keys
    }
    const offer = async (change: Partial<ShareOutInput>): Promise<Uint8Array> => {
      const { shares } = await shareOut(tools, { ...input, rule: 'claim', subject: osRandom(32), ...change })
      return await custodyOf(nodes[0]!).keep(shares[0]!)
    }
    await expectCode('SHARE_RULE', async () => offer({ rule: 'recovery', subject: null }))
    await expectCode('PATIENT_UNKNOWN', async () => offer({ patient: osRandom(32) }))
    await expectCode('PATIENT_KEYS', async () => offer({ patientKeys: visitor.keys }))
    await expectCode('CUSTODY_REVISION', async () => offer({ subject: visitor.grantId, revision: 2 }))
    await expectCode('SEALED_SHARE_RECIPIENT', async () => offer({ keepers: [patient, patient].map(bundleOf) }))
    await expectCode('SHARE_PLAN_NETWORK', async () => offer({ network: osRandom(32) }))
  })

  it('anchor their receipts on the chain, where a patient finds them', async () => {
    const card = readCustodianCard(p, await custodyOf(nodes[0]!).card(), world.network)
    const find = async () => nodes[1]!.client.gateway(toHex(card.log)).catch(() => undefined)
    await until(async () => ((await find())?.treeSize ?? 0) >= 2)
    const { treeSize, root } = (await find())!
    const anchor = { treeSize, root: fromHex(root!, 32) }
    const { followed } = await receiptsOf(nodes[0]!, UNFOLLOWED, anchor)
    expect(followed.range.size).to.be.at.least(treeSize)
    const wrong = { treeSize, root: new Uint8Array(32) }
    await expectCode('RECEIPTS_FORKED', async () => receiptsOf(nodes[0]!, UNFOLLOWED, wrong))
  })

  it('leave a receipt of each reading of entries, but not of the patient’s own', async () => {
    const { clinician, grantId } = await world.grantee(nodes[0]!, patient, 1)
    const { followed } = await receiptsOf(nodes[0]!)
    const read = await readRequest(nodes[0]!, clinician, patient.state.patient, grantId)
    await nodes[0]!.client.queryEntries({ authorization: read })
    const own = await readRequest(nodes[0]!, patient, patient.state.patient, null)
    await nodes[0]!.client.queryEntries({ authorization: own })
    const { receipts } = await receiptsOf(nodes[0]!, followed)
    expect(receipts).to.have.length(1)
    expect(receipts[0]).to.deep.include({
      kind: 'entries',
      subject: grantId,
      address: clinician.address,
      request: p.sha256(read)
    })
  })

  it('show the same log as tiles', async () => {
    const name = { level: 0 as const, index: 0, width: 2 }
    expect(await custodyOf(nodes[0]!).tile(name)).to.have.length(64)
    await expectCode('TILE_UNKNOWN', async () => custodyOf(nodes[0]!).tile({ ...name, width: 200 }))
  })
})
