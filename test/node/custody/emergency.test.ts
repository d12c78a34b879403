import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { Contract } from 'ethers'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { domain } from '#core/abi/typed-data/domain.ts'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { combineReleases } from '#core/custody/combine.ts'
import { readCustodianCard } from '#core/custody/custodian-card.ts'
import { shareEmergency } from '#core/custody/emergency-keys.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { decodeCustodyAnswer, encodeCustodyRequest } from '#core/custody/release-request.ts'
import { decodeSharedKeys } from '#core/custody/shared-keys.ts'
import { fromHex, utf8 } from '#core/encoding/bytes.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { decodeKeyBundle } from '#core/identity/key-bundle.ts'
import { receiptLogOrigin } from '#core/receipts/origin.ts'
import { collectReceipts } from '#core/receipts/collect.ts'
import { UNFOLLOWED } from '#core/receipts/follow.ts'
import { dayOf } from '#core/record/day.ts'
import { leafFromCover } from '#core/record/day-tree.ts'
import { openEntry } from '#core/record/seal-entry.ts'
import { nowS, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { openOffice } from '#test/contracts/credential-requests.ts'
import { breakGlass, emergencyIdOf, emergencyOf, end } from '#test/contracts/emergency-requests.ts'
import { accountKey, walletOf } from '#test/contracts/keys.ts'
import { tools } from '#test/core/custody/circle.ts'
import { expectCode } from '#test/error-code.ts'
import { account } from '#test/node/chain/test-chain.ts'
import { custodyOf } from '#test/node/custody/one-time.ts'
import { createTestWorld, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'

const { p } = tools

describe('custodians in an emergency', function () {
  this.timeout(120_000)
  let world: TestWorld
  let nodes: TestNode[]
  let patient: DemoPatient
  let crew: AgentKeys
  let evidence: Uint8Array
  let chain: TestChain

  before(async () => {
    world = await createTestWorld()
    nodes = []
    for (const relayer of [1, 2]) nodes.push(await world.node({ relayer, custody: { finalityS: 900 } }))
    patient = await world.patient(nodes[0]!)
    const { deployment, provider } = world.chain
    const { CredentialRegistry, EmergencyAccess } = deployment.contracts
    const governor = account(0, provider)
    const now = async (): Promise<number> => (await provider.getBlock('latest'))?.timestamp ?? 0
    // What the requests of the contracts' tests need of a chain.
    chain = {
      contracts: {
        credentials: new Contract(CredentialRegistry.address, credentialRegistryAbi, governor),
        emergencies: new Contract(EmergencyAccess.address, emergencyAccessAbi, governor)
      },
      domainOf: (name: keyof typeof deployment.contracts) =>
        domain(name as 'EmergencyAccess', deployment.chainId, deployment.contracts[name].address),
      now,
      deadline: async () => (await now()) + 3600
    } as unknown as TestChain
    crew = await deriveAgentKeys(p, osRandom(32), [2])
    evidence = await granteeEvidence(crew, {
      target: deployment,
      notAfterS: nowS() + 86_400,
      signTypedData: async (...args) => walletOf('ada').signTypedData(...args)
    })
    await shared(1)
  })

  after(async () => {
    await world.stop()
  })

  /** Hands each custodian its share of a revision. */
  async function shared(revision: number): Promise<void> {
    const keepers = await Promise.all(
      nodes.map(async node => {
        const { bundle } = readCustodianCard(p, await custodyOf(node).card(), world.network)
        return { bundle }
      })
    )
    const today = dayOf(Date.now())
    const span = { fromDay: today - 1, throughDay: today + 1 }
    const how = { rule: 'glass' as const, revision, threshold: 2, keepers, ...span }
    const { shares } = await shareEmergency(tools, patient, how)
    for (const [i, node] of nodes.entries()) {
      // The second one may not have seen the patient's registration yet.
      await until(async () =>
        custodyOf(node)
          .keep(shares[i]!)
          .then(Boolean, (error: unknown) => refused(error))
      )
    }
  }

  function refused(error: unknown): false {
    if (error instanceof Error && 'code' in error && error.code === 'PATIENT_UNKNOWN') return false
    throw error
  }

  async function ask(node: TestNode, emergency: string) {
    const { peerId } = await node.client.status()
    const request = {
      ...{ network: world.network, patient: patient.state.patient, grant: fromHex(emergency, 32) },
      audience: peerIdFromString(peerId).toMultihash().bytes,
      issuedAtMs: Date.now(),
      nonce: osRandom(16),
      author: crew.bundle.sign,
      evidence
    }
    const authorization = signReadRequest(p, request, crew.signSeed)
    return decodeCustodyAnswer(await custodyOf(node).release(encodeCustodyRequest({ rule: 'glass', authorization })))
  }

  it('give the emergency compartment to who declared one on the chain, with receipts, until it is ended', async () => {
    const note = sealAsPatient(p, osRandom, patient, {
      compartment: 'emergency',
      day: dayOf(Date.now()),
      content: { type: 'text/plain', recordedAtMs: Date.now(), body: utf8('penicillin: anaphylaxis') }
    })
    const ada = accountKey('ada')
    const office = openOffice(chain, accountKey('hospital'))
    await office.accredit()
    const emergency = emergencyOf(`0x${Buffer.from(patient.state.patient).toString('hex')}`, await office.hire(ada))
    const id = emergencyIdOf(emergency)
    for (const node of nodes) await expectCode('EMERGENCY_UNKNOWN', async () => ask(node, id))

    await breakGlass(chain, [ada], emergency)
    // Shares that are renewed meanwhile take the place of those before.
    await shared(2)
    await until(async () => ask(nodes[0]!, id).then(Boolean, () => false))
    await until(async () => ask(nodes[1]!, id).then(Boolean, () => false))
    const answers = await Promise.all(nodes.map(async node => ask(node, id)))
    const plan = decodeSharePlan(answers[0]!.plan)
    expect(plan.revision).to.equal(2)
    const { payload } = await combineReleases(
      tools,
      plan,
      answers.map(({ release }) => release),
      crew
    )
    const { keys } = decodeSharedKeys(payload!)
    const key = keys.find(({ compartment }) => compartment === 'emergency')!
    const leafKey = leafFromCover(p, key.cover, dayOf(Date.now()))
    const { content } = openEntry(p, { ...note, leafKey, tag: key.tag })
    expect(new TextDecoder().decode(content.body)).to.equal('penicillin: anaphylaxis')

    const { bundle } = readCustodianCard(p, await custodyOf(nodes[0]!).card(), world.network)
    const publicKey = decodeKeyBundle(bundle).sign
    const log = { origin: receiptLogOrigin(world.network, publicKey), publicKey }
    const of = { key: log, keys: patient.keys }
    const { receipts } = await collectReceipts(p, custodyOf(nodes[0]!), UNFOLLOWED, of)
    expect(receipts).to.have.length(2)
    expect(receipts[0]).to.deep.include({ rule: 'glass', subject: fromHex(id), address: fromHex(ada.id, 20) })

    await end(chain, ada, emergency)
    for (const node of nodes) {
      const isOver = async (): Promise<boolean> =>
        ask(node, id).then(
          () => false,
          () => true
        )
      await until(isOver)
      await expectCode('EMERGENCY_OVER', async () => ask(node, id))
    }
  })

  it('take no share of a revision that they had', async () => {
    await expectCode('CUSTODY_REVISION', async () => shared(1))
  })
})
