import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { Wallet, keccak256 } from 'ethers'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { combineReleases } from '#core/custody/combine.ts'
import { deriveCustodianKeys } from '#core/custody/custodian-card.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { decodeCustodyAnswer, encodeCustodyRequest } from '#core/custody/release-request.ts'
import { shareOut, type SharedOut } from '#core/custody/share-out.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { signReadRequest } from '#core/grant/read-request.ts'
import { NO_EXPIRY, RIGHT_READ, packTerms } from '#core/grant/terms.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { createDemoPatient, osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { expectCode } from '#test/error-code.ts'
import { tools } from '#test/core/custody/circle.ts'
import { NOON_S, paperDeployment } from '#test/core/network/accept-world.ts'
import { AUDIENCE, FINALITY_S, PEER_SEED, openPaperCustodian } from '#test/node/custody/paper-custodian.ts'

const CHILD = fileURLToPath(new URL('child-custodian.ts', import.meta.url))
const { p } = tools

describe('a custodian on its disk', function () {
  this.timeout(60_000)
  const deployment = paperDeployment()
  const wallet = Wallet.createRandom()
  const grantId = osRandom(32)
  const timeS = NOON_S
  let folder: string
  let patient: DemoPatient
  let visitor: AgentKeys
  let evidence: Uint8Array
  let shared: SharedOut
  let events: ChainEvent[]

  before(async () => {
    patient = await createDemoPatient(deployment)
    visitor = await deriveAgentKeys(p, osRandom(32), [2])
    evidence = await granteeEvidence(visitor, {
      target: deployment,
      notAfterS: timeS + 86_400,
      signTypedData: async (...args) => wallet.signTypedData(...args)
    })
    const custodian = await deriveCustodianKeys(p, PEER_SEED)
    shared = await shareOut(tools, {
      ...{ network: patient.state.network, patient: patient.state.patient, rule: 'claim', subject: grantId },
      ...{ revision: 1, threshold: 2, notAfterS: null, payload: osRandom(32), patientKeys: patient.keys },
      keepers: [{ bundle: custodian.bundleBytes }, { bundle: custodian.bundleBytes }]
    })
    const id = toHex(grantId)
    const who = toHex(patient.state.patient)
    const grantee = fromHex(wallet.address, 20)
    const terms = packTerms({ grantee, notBefore: 0, expiresAt: NO_EXPIRY, rights: RIGHT_READ, uses: 1 })
    events = [
      {
        name: 'PatientRegistered',
        patient: who,
        signer: toHex(patient.state.signer),
        keyBundle: keccak256(patient.keys.bundleBytes) as Hex
      },
      { name: 'Granted', patient: who, grantId: id, terms },
      { name: 'Claimed', grantId: id, usesLeft: 0 }
    ]
  })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'salus-custody-'))
  })

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  function request(atS = timeS): Uint8Array {
    const read = {
      ...{ network: patient.state.network, patient: patient.state.patient, grant: grantId, audience: AUDIENCE },
      ...{ issuedAtMs: atS * 1000, nonce: osRandom(16), author: visitor.bundle.sign, evidence }
    }
    return encodeCustodyRequest({ rule: 'claim', authorization: signReadRequest(p, read, visitor.signSeed) })
  }

  /** Runs a custodian in a process of its own; resolves with what it printed and the signal that ended it. */
  async function runChild(dies: boolean): Promise<{ output: string; signal: NodeJS.Signals | null }> {
    const child = spawn(process.execPath, [CHILD, folder], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    const plain = events.map(event => ('terms' in event ? { ...event, terms: event.terms.toString() } : event))
    const order = { events: plain, timeS, share: toHex(shared.shares[0]!), request: toHex(request()), dies }
    child.stdin.end(`${JSON.stringify(order)}\n`)
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    return await new Promise(resolve => child.once('close', (_, signal) => resolve({ output, signal })))
  }

  it('has written the receipt when it is killed before the release, and releases when asked again', async () => {
    expect(await runChild(true)).to.deep.equal({ output: '', signal: 'SIGKILL' })
    const { output } = await runChild(false)
    const { answer, receipts } = JSON.parse(output) as { answer: string; receipts: number }
    // That of before the crash, of a share that nobody got, and that of the one that was handed out.
    expect(receipts).to.equal(2)
    const { plan, release } = decodeCustodyAnswer(fromHex(answer))
    const combined = await combineReleases(tools, decodeSharePlan(plan), [release], visitor)
    expect(combined).to.deep.equal({ payload: null, missing: 1, wrong: [] })
  })

  const open = async (atS = timeS, random = osRandom) => openPaperCustodian(folder, { events, timeS: atS, random })

  it('releases nothing where the receipt cannot be written', async () => {
    const paper = await open()
    const { custodian, db } = paper
    await custodian.keep(shared.shares[0]!)
    const full = { batch: async () => Promise.reject(new Error('disk full')) }
    Object.assign(db, full)
    await expectCode('STORE_WRITE_FAILED', async () => custodian.release(request()))
    expect(paper.receipts().size()).to.equal(0)
    await db.close()
  })

  it('numbers receipts that are written at the same time one after the other', async () => {
    const paper = await open()
    await paper.custodian.keep(shared.shares[0]!)
    await Promise.all(Array.from({ length: 20 }, async () => paper.custodian.release(request())))
    const checkpoint = paper.receipts().checkpoint()
    expect(paper.receipts().size()).to.equal(20)
    await paper.close()
    const again = await open()
    expect(again.receipts().checkpoint()).to.equal(checkpoint)
    await again.close()
  })

  async function isOnDisk(bytes: Uint8Array): Promise<boolean> {
    for (const name of await readdir(folder)) {
      if ((await readFile(join(folder, name))).includes(Buffer.from(bytes))) return true
    }
    return false
  }

  it('deletes a share from its files once its time is over, and takes it no more', async () => {
    const secret = shared.shares[0]!.slice(-40)
    const first = await open()
    await first.custodian.keep(shared.shares[0]!)
    expect(await first.sweep()).to.equal(0)
    await first.close()
    expect(await isOnDisk(secret)).to.equal(true)
    const late = timeS + FINALITY_S + 600
    const second = await open(late)
    second.chain.timeS = late + FINALITY_S + 600
    expect(await second.sweep()).to.equal(1)
    expect(await isOnDisk(secret)).to.equal(false)
    await expectCode('CUSTODY_REVISION', async () => second.custodian.keep(shared.shares[0]!))
    await expectCode('CUSTODY_GONE', async () => second.custodian.release(request(second.chain.timeS)))
    await second.close()
    expect(await isOnDisk(secret)).to.equal(false)
  })

  it('deletes a share of a grant that is revoked', async () => {
    const paper = await open()
    await paper.custodian.keep(shared.shares[0]!)
    paper.chain.add({ name: 'Revoked', patient: toHex(patient.state.patient), grantId: toHex(grantId) })
    await expectCode('GRANT_REVOKED', async () => paper.custodian.release(request()))
    expect(await paper.sweep()).to.equal(1)
    await paper.close()
  })
})
