import { expect } from 'chai'
import { Wallet, keccak256 } from 'ethers'
import { granteeEvidence } from '#core/agent/grantee-requests.ts'
import { toHex, fromHex } from '#core/encoding/bytes.ts'
import { combineReleases } from '#core/custody/combine.ts'
import {
  decodeGuardianNote,
  requirePatientsPlan,
  requireSeedOf,
  splitSeed,
  type GuardedSeed
} from '#core/custody/guardians.ts'
import { guardianLeaf, guardianProof, guardianTree } from '#core/custody/guardian-tree.ts'
import { decodeSharePlan } from '#core/custody/plan.ts'
import { encodeRecoveryRequest, releaseToRecovered, type GuardianView } from '#core/custody/recovery.ts'
import { decodeSealedShare, openShare } from '#core/custody/sealed-share.ts'
import { deriveAgentKeys, type AgentKeys } from '#core/identity/agent-keys.ts'
import { keyBindingDomain } from '#core/identity/key-binding.ts'
import { createDemoPatient, type DemoPatient } from '#scripts/story/people.ts'
import { treeOf } from '#test/contracts/tree.ts'
import { tools } from '#test/core/custody/circle.ts'
import { NOON_S, PaperChain, paperDeployment } from '#test/core/network/accept-world.ts'
import { keysOf } from '#test/core/people.ts'
import { expectCode } from '#test/error-code.ts'

const { p, random } = tools

describe('guardians of a seed', () => {
  const deployment = paperDeployment()
  const device = Wallet.createRandom()
  let chain: PaperChain
  let patient: DemoPatient
  let guardians: { keys: AgentKeys; address: Uint8Array; bundle: Uint8Array }[]
  let guarded: GuardedSeed
  let newKeys: AgentKeys
  let request: Uint8Array

  before(async () => {
    patient = await createDemoPatient(deployment)
    guardians = await Promise.all(
      [21, 22, 23].map(async person => {
        const keys = await keysOf(person)
        return { keys, address: random(20), bundle: keys.bundleBytes }
      })
    )
    guarded = await splitSeed(tools, patient, guardians, { threshold: 2, revision: 1 })
    newKeys = await deriveAgentKeys(p, random(32), [2])
    request = await requestOf(newKeys)
  })

  beforeEach(() => {
    chain = new PaperChain()
    const { state, keys } = patient
    chain.add({
      name: 'PatientRegistered',
      patient: toHex(state.patient),
      signer: toHex(state.signer),
      keyBundle: keccak256(keys.bundleBytes) as `0x${string}`
    })
  })

  async function requestOf(keys: AgentKeys, wallet = device): Promise<Uint8Array> {
    const evidence = await granteeEvidence(keys, {
      target: deployment,
      notAfterS: NOON_S + 30 * 86_400,
      signTypedData: async (...args) => wallet.signTypedData(...args)
    })
    return encodeRecoveryRequest({ network: patient.state.network, patient: patient.state.patient, evidence })
  }

  const newSigner = device.address.toLowerCase() as `0x${string}`
  const id = (): `0x${string}` => toHex(patient.state.patient)
  const open = (): void =>
    chain.add({
      name: 'RecoveryOpened',
      patient: id(),
      newSigner,
      readyAt: NOON_S + 86_400,
      expiresAt: NOON_S + 31 * 86_400
    })
  const complete = (): void => {
    chain.timeS = NOON_S + 86_400
    chain.add({ name: 'SignerRotated', patient: id(), newSigner, epoch: 1 })
  }
  const view = (change: Partial<GuardianView> = {}): GuardianView => ({
    chain: chain.view(),
    finalS: chain.timeS,
    nowS: chain.timeS,
    bindings: keyBindingDomain(deployment.chainId, deployment.contracts.AccessGrants.address),
    ...change
  })
  const releaseOf = async (index: number, seen = view(), bytes = request): Promise<Uint8Array> =>
    releaseToRecovered(tools, decodeSealedShare(guarded.shares[index]!), bytes, seen, guardians[index]!.keys)

  it('give it back to the device that a final recovery names', async () => {
    open()
    complete()
    const releases = [await releaseOf(0), await releaseOf(2)]
    const plan = decodeSharePlan(guarded.planBytes)
    requirePatientsPlan(chain.view(), plan)
    const { payload } = await combineReleases(tools, plan, releases, newKeys)
    expect(payload).to.deep.equal(patient.state.seed)
    requireSeedOf(plan, payload!, await deriveAgentKeys(p, payload!))
    await expectCode('RECOVERED_SEED', () => requireSeedOf(plan, payload!, newKeys))
  })

  it('keep it before, during and without a recovery, and where it is not final', async () => {
    await expectCode('RECOVERY_NOT_FINAL', async () => releaseOf(0))
    open()
    await expectCode('RECOVERY_NOT_FINAL', async () => releaseOf(0))
    complete()
    await expectCode('RECOVERY_NOT_FINAL', async () => releaseOf(0, view({ finalS: chain.timeS - 1 })))
  })

  it('keep it after a veto, even if the account gets the record in another way', async () => {
    open()
    chain.add({ name: 'RecoveryVetoed', patient: id() })
    complete()
    await expectCode('RECOVERY_NOT_FINAL', async () => releaseOf(0))
  })

  it('keep it from a device that the recovered account did not bind, and once another account signs', async () => {
    open()
    complete()
    const stranger = await requestOf(newKeys, Wallet.createRandom())
    await expectCode('BINDING_ADDRESS', async () => releaseOf(0, view(), stranger))
    await expectCode('BINDING_EXPIRED', async () => releaseOf(0, view({ nowS: NOON_S + 40 * 86_400 })))
    chain.add({ name: 'SignerRotated', patient: id(), newSigner: ('0x' + '77'.repeat(20)) as `0x${string}`, epoch: 2 })
    await expectCode('RECOVERY_OVER', async () => releaseOf(0))
  })

  it('learn from their notes all that approving on the chain takes', async () => {
    for (const [index, { keys, address }] of guardians.entries()) {
      const { note } = await openShare(p, decodeSealedShare(guarded.shares[index]!), keys)
      const told = decodeGuardianNote(note)
      expect(told.address).to.deep.equal(address)
      const leaf = guardianLeaf(patient.state.patient, address, told.salt)
      const reference = treeOf(told.leaves.map(toHex))
      expect(guardianProof(told, leaf).map(toHex)).to.deep.equal(reference.proofOf(toHex(leaf)))
      expect(reference.root).to.equal(toHex(guarded.tree.root))
    }
  })

  it('form the tree that the contract checks, whatever their number', () => {
    for (let count = 1; count <= 9; count++) {
      const leaves = Array.from({ length: count }, () => random(32))
      const reference = treeOf(leaves.map(toHex))
      expect(toHex(guardianTree(leaves).root)).to.equal(reference.root)
      for (const leaf of leaves) {
        expect(guardianProof({ leaves }, leaf).map(toHex)).to.deep.equal(reference.proofOf(toHex(leaf)))
      }
    }
  })

  it('refuse a plan of a stranger', async () => {
    const other = await createDemoPatient(deployment)
    const { planBytes } = await splitSeed(tools, other, guardians, { threshold: 2, revision: 1 })
    await expectCode('SHARE_PLAN_STRANGER', () => requirePatientsPlan(chain.view(), decodeSharePlan(planBytes)))
    await expectCode('GUARDIAN_LEAF', () => guardianProof(guarded.tree, random(32)))
    await expectCode('GUARDIANS_NONE', () => guardianTree([]))
    expect(fromHex(newSigner)).to.have.length(20)
  })
})
