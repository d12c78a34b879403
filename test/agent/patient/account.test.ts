import { expect } from 'chai'
import { createPatientAccount, recoverPatientAccount } from '#agent/patient/account.ts'
import type { ChainEvent } from '#core/chain/events.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { keyBundleDigest } from '#core/identity/key-bundle.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'
import { openPaperAgent, PaperNetwork } from '#test/agent/paper-agent.ts'
import { seededRandom } from '#test/seeded-random.ts'

const NOW_MS = 1_795_180_000_000

describe('an account that is made again from its seed', () => {
  let network: PaperNetwork
  let opened: Awaited<ReturnType<typeof openPaperAgent>>[]

  beforeEach(async () => {
    network = new PaperNetwork(NOW_MS)
    opened = [await openPaperAgent(network, () => NOW_MS), await openPaperAgent(network, () => NOW_MS)]
  })

  afterEach(async () => {
    for (const each of opened) await each.close()
  })

  it('is found, though a stranger was first to name its keys', async () => {
    const [first, second] = opened.map(({ agent }) => agent)
    await createPatientAccount(first!)
    const { state, wallet } = first!.keeper.state().patient!
    const { bundleBytes } = await deriveAgentKeys(p, state.seed)
    const stranger: ChainEvent = {
      name: 'PatientRegistered',
      patient: `0x${'66'.repeat(32)}`,
      signer: `0x${'77'.repeat(20)}`,
      keyBundle: toHex(keyBundleDigest(bundleBytes))
    }
    network.events.unshift({ event: stranger, timeS: 0 })
    const found = await recoverPatientAccount(second!, state.seed.slice(), structuredClone(wallet))
    expect(found.patient).to.deep.equal(state.patient)
    expect(found.signer).to.deep.equal(state.signer)
  })

  it('is not found where the chain or the node knows nothing of it', async () => {
    const { agent } = opened[0]!
    const seed = seededRandom('nobody')(32)
    await expectCode('RECOVERY_NO_RECORD', async () => recoverPatientAccount(agent, seed))
    const { bundleBytes } = await deriveAgentKeys(p, seed)
    network.add({
      name: 'PatientRegistered',
      patient: `0x${'66'.repeat(32)}`,
      signer: `0x${'77'.repeat(20)}`,
      keyBundle: toHex(keyBundleDigest(bundleBytes))
    })
    await expectCode('RECOVERY_NO_BACKUP', async () => recoverPatientAccount(agent, seed))
  })
})
