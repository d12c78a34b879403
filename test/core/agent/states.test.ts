import { expect } from 'chai'
import { AbiCoder, Wallet, keccak256, verifyTypedData } from 'ethers'
import { domain } from '#core/abi/typed-data/domain.ts'
import { claimTypes } from '#core/abi/typed-data/grants.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { claimCall } from '#core/agent/grantee-requests.ts'
import { createGrantee, decodeGranteeState, encodeGranteeState, type GranteeState } from '#core/agent/grantee-state.ts'
import { createPatient } from '#core/agent/patient-state.ts'
import { MAX_PATIENT_STATE_BYTES, decodePatientState, encodePatientState } from '#core/agent/patient-state-codec.ts'
import { RIGHT_READ } from '#core/grant/terms.ts'
import { coverOf } from '#core/record/day-tree.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { itRefusesBadInput } from '#test/core/decoder-rules.ts'
import { NETWORK, PATIENT } from '#test/core/people.ts'
import { seededRandom } from '#test/seeded-random.ts'

const TARGET = {
  chainId: 31_337,
  contracts: {
    AccessGrants: { address: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512' }
  }
}
const wallet = new Wallet(`0x${'22'.repeat(32)}`)
const address = fromHex(wallet.address, 20)

describe('the state of a patient’s agent', () => {
  const patient = createPatient(seededRandom('patient'), TARGET, address)

  it('names the patient and the network as the contracts do', () => {
    const coder = AbiCoder.defaultAbiCoder()
    const id = coder.encode(['bytes32', 'bytes32'], [keccak256(patient.signer), toHex(patient.salt)])
    expect(toHex(patient.patient)).to.equal(keccak256(id))
    const network = coder.encode(['uint256', 'address'], [TARGET.chainId, TARGET.contracts.AccessGrants.address])
    expect(toHex(patient.network)).to.equal(keccak256(network))
  })

  itRefusesBadInput({
    area: 'PATIENT_STATE',
    maxBytes: MAX_PATIENT_STATE_BYTES,
    valid: () => encodePatientState(patient),
    decode: decodePatientState,
    mutations: 1000
  })
})

describe('the state of a grantee’s agent', () => {
  const key = {
    compartment: 'vitals' as const,
    tag: new Uint8Array(16),
    generation: 1,
    cover: coverOf(p, new Uint8Array(32), 3, 9)
  }
  const grant = {
    grantId: new Uint8Array(32).fill(1),
    patient: PATIENT,
    rights: RIGHT_READ,
    revision: 2,
    document: new Uint8Array(5),
    keys: [key]
  }
  const state: GranteeState = { ...createGrantee(NETWORK, address), grants: [grant] }

  it('keeps grants and their keys through encoding', () => {
    expect(decodeGranteeState(encodeGranteeState(state))).to.deep.equal(state)
  })

  it('has the wallet sign the claim of a use', async () => {
    const grantId = new Uint8Array(32).fill(1)
    const request = { target: TARGET, grantId, signer: address, usesLeft: 0, deadlineS: 1_800_000_000 }
    const { args } = await claimCall({ ...request, signTypedData: (...data) => wallet.signTypedData(...data) })
    const message = { grantId: toHex(grantId), usesLeft: 0, deadline: 1_800_000_000 }
    const of = domain('AccessGrants', TARGET.chainId, TARGET.contracts.AccessGrants.address)
    expect(verifyTypedData(of, claimTypes, message, String(args[3]))).to.equal(wallet.address)
  })

  itRefusesBadInput({
    area: 'GRANTEE_STATE',
    maxBytes: 67_108_864,
    valid: () => encodeGranteeState(state),
    decode: decodeGranteeState,
    mutations: 1000
  })
})
