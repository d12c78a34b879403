import { expect } from 'chai'
import { Contract, Wallet } from 'ethers'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { combineReleases } from '#core/custody/combine.ts'
import {
  RECOVERY_DELAY_S,
  approveRecovery,
  completeRecoveryCall,
  guardianSetCall,
  openRecoveryCall,
  signRecovery,
  vetoRecoveryCall,
  type RecoverySigning
} from '#core/custody/guardian-calls.ts'
import { decodeGuardianNote, requirePatientsPlan, requireSeedOf, splitSeed } from '#core/custody/guardians.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { encodeRecoveryRequest, releaseToRecovered } from '#core/custody/recovery.ts'
import { decodeSealedShare, openShare, type SealedShare } from '#core/custody/sealed-share.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { deriveAgentKeys } from '#core/identity/agent-keys.ts'
import { keyBindingDomain } from '#core/identity/key-binding.ts'
import { readPatientFacts } from '#node/chain/patient-facts.ts'
import type { NodeContext } from '#node/node.ts'
import { osRandom, type DemoPatient } from '#scripts/story/people.ts'
import { tools } from '#test/core/custody/circle.ts'
import { expectCode } from '#test/error-code.ts'
import { account } from '#test/node/chain/test-chain.ts'
import { createTestWorld, until, type TestNode, type TestWorld } from '#test/node/http/world.ts'

const { p } = tools

describe('a patient who lost everything', function () {
  this.timeout(120_000)
  let world: TestWorld
  let node: TestNode
  let context: NodeContext
  let patient: DemoPatient

  before(async () => {
    world = await createTestWorld()
    node = await world.node({
      services: each => {
        context = each
        return []
      }
    })
    patient = await world.patient(node)
  })

  after(async () => {
    await world.stop()
  })

  const wallets = [0, 1, 2].map(() => Wallet.createRandom())
  const chainTimeS = (): number => context.follower.view().blockTimeS

  async function signing(by: { signTypedData: DemoPatient['signTypedData'] }): Promise<RecoverySigning> {
    const { deployment, provider } = world.chain
    const contract = new Contract(deployment.contracts.AccessGrants.address, accessGrantsAbi, provider)
    const nonce = Number(await contract.getFunction('nonceOf')(patient.state.patient))
    const { patient: id } = patient.state
    const deadlineS = chainTimeS() + 20 * 86_400
    return { target: deployment, patient: id, nonce, deadlineS, signTypedData: by.signTypedData }
  }

  const signerOf = (wallet: { signTypedData: DemoPatient['signTypedData'] }) => ({
    signTypedData: async (...args: Parameters<DemoPatient['signTypedData']>) => wallet.signTypedData(...args)
  })

  it('gets the seed back from two of three guardians, after the chain’s delay and not before', async () => {
    const keys = await Promise.all(wallets.map(async () => deriveAgentKeys(p, osRandom(32), [2])))
    const guardians = keys.map(({ bundleBytes }, i) => ({
      address: fromHex(wallets[i]!.address, 20),
      bundle: bundleBytes
    }))
    const guarded = await splitSeed(tools, patient, guardians, { threshold: 2, revision: 1 })
    const terms = { root: guarded.tree.root, threshold: 2, delayS: RECOVERY_DELAY_S }
    const own = account(9)
    await node.client.relay(await guardianSetCall(await signing(signerOf(own)), patient.state.signer, terms))
    const held = guarded.shares.map((bytes): SealedShare => decodeSealedShare(bytes))

    // A new phone: a new wallet, and keys that it binds to itself.
    const phone = Wallet.createRandom()
    const address = fromHex(phone.address, 20)
    const fresh = await deriveAgentKeys(p, osRandom(32), [2])
    const open = async (): Promise<number> => {
      const by = await signing(signerOf(phone))
      const approvals = await Promise.all(
        [2, 0].map(async i => {
          const { note } = await openShare(p, held[i]!, keys[i]!)
          const as = { ...by, ...signerOf(wallets[i]!) }
          return await approveRecovery(as, address, decodeGuardianNote(note))
        })
      )
      const call = openRecoveryCall(by, address, await signRecovery(by, address), approvals)
      return (await node.client.relay(call)).blockNumber
    }
    const evidence = await granteeEvidence(fresh, {
      target: world.chain.deployment,
      notAfterS: chainTimeS() + 30 * 86_400,
      ...signerOf(phone)
    })
    const { network, patient: id } = patient.state
    const request = encodeRecoveryRequest({ network, patient: id, evidence })
    const release = async (i: number): Promise<Uint8Array> => {
      const { deployment } = world.chain
      // A guardian follows no chain: it asks an endpoint.
      const chain = await readPatientFacts(world.chain.provider, deployment, toHex(id), 0)
      const bindings = keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address)
      const view = { chain, finalS: chain.blockTimeS, nowS: chain.blockTimeS, bindings }
      return await releaseToRecovered(tools, held[i]!, request, view, keys[i]!)
    }

    await open()
    await expectCode('RECOVERY_NOT_FINAL', async () => release(0))
    // The patient finds its old phone for a moment, and did not ask for this.
    await node.client.relay(await vetoRecoveryCall(await signing(signerOf(own)), patient.state.signer))
    await expectCode('CHAIN_RECOVERY_NOT_OPEN', async () => node.client.relay(completeRecoveryCall(id, address)))

    await open()
    await expectCode('CHAIN_RECOVERY_TOO_EARLY', async () => node.client.relay(completeRecoveryCall(id, address)))
    await world.chain.provider.send('evm_increaseTime', [RECOVERY_DELAY_S + 1])
    await world.chain.provider.send('evm_mine', [])
    const { blockNumber } = await node.client.relay(completeRecoveryCall(id, address))
    await until(async () => (await node.client.status()).chain.blockNumber >= blockNumber)

    const deep = await readPatientFacts(world.chain.provider, world.chain.deployment, toHex(id), 1_000)
    expect(deep.patient(toHex(id))).to.equal(undefined)
    const facts = await readPatientFacts(world.chain.provider, world.chain.deployment, toHex(id), 0)
    const followed = context.follower.view()
    expect(facts.recovery(toHex(id))).to.deep.equal(followed.recovery(toHex(id)))
    expect(facts.patient(toHex(id))).to.deep.equal(followed.patient(toHex(id)))
    const plan = decodeSharePlan(guarded.planBytes)
    requirePatientsPlan(context.follower.view(), plan)
    const { payload, missing, wrong } = await combineReleases(tools, plan, [await release(1), await release(2)], fresh)
    expect([missing, wrong]).to.deep.equal([0, []])
    expect(payload).to.deep.equal(patient.state.seed)
    requireSeedOf(plan, payload!, await deriveAgentKeys(p, payload!))
  })
})
