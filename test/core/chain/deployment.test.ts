import { expect } from 'chai'
import { byContract, readDeployment } from '#core/chain/deployment.ts'
import { networkIdOf } from '#core/chain/network-id.ts'
import { toHex } from '#core/encoding/bytes.ts'
import { readKnownContracts } from '#core/proof/known-contracts.ts'
import { expectCode } from '#test/error-code.ts'

const ADDRESS = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const contract = { address: ADDRESS, codeHash: `0x${'ab'.repeat(32)}` }
const good = {
  chainId: 31_337,
  networkId: toHex(networkIdOf(31_337, ADDRESS)),
  blockNumber: 7,
  contracts: byContract(() => contract)
}
const origin = {
  network: 'salus/1',
  firstAdmin: ADDRESS,
  p256Precompile: true,
  governance: {
    profile: 'consortium',
    governor: ADDRESS,
    members: { GOVERNOR: [ADDRESS], PAUSER: [], ACCREDITOR: [], REVIEWER: [], LEDGER_KEEPER: [], AUDITOR: [] }
  }
}

describe('networkIdOf', () => {
  it('is the hash of chain and registry, whatever case the address is in', () => {
    // keccak-256 over the chain id and the address, each a word of 32 bytes, laid out by hand.
    const expected = '0x4eff3c5b1f35f65d2bda0ccda908c188864ba7e5ec40a4fd1eb5969fe8758cae'
    expect(toHex(networkIdOf(31_337, ADDRESS))).to.equal(expected)
    expect(toHex(networkIdOf(31_337, ADDRESS.toLowerCase()))).to.equal(expected)
    expect(networkIdOf(1, ADDRESS)).not.to.deep.equal(networkIdOf(31_337, ADDRESS))
  })
})

describe('readDeployment', () => {
  it('reads what it was given, with the address as EIP-55 writes it', () => {
    const lower = { ...contract, address: ADDRESS.toLowerCase() }
    expect(readDeployment({ ...good, contracts: { ...good.contracts, BatchAnchors: lower } })).to.deep.equal(good)
  })

  it('reads what it was made of and who governs; a role that is left out has no members', () => {
    expect(readDeployment({ ...good, origin })).to.deep.equal({ ...good, origin })
    const members = { GOVERNOR: [ADDRESS.toLowerCase()] }
    const short = { ...origin, governance: { ...origin.governance, members } }
    expect(readDeployment({ ...good, origin: short })).to.deep.equal({ ...good, origin })
    // The verifier of proofs has a reader of its own, without a chain library.
    expect(toHex(readKnownContracts({ ...good, origin }).network)).to.equal(good.networkId)
  })

  it('tells a file of another version from a damaged one', async () => {
    const { AccessGrants, ...others } = good.contracts
    for (const contracts of [others, { ...good.contracts, PatientRegistry: AccessGrants }, {}]) {
      await expectCode('DEPLOYMENT_VERSION', () => readDeployment({ ...good, contracts }))
    }
  })

  it('refuses the network id of another chain', async () => {
    await expectCode('DEPLOYMENT_NETWORK', () => readDeployment({ ...good, chainId: 1 }))
  })

  const malformed: Record<string, unknown> = {
    'no map': [],
    'a missing field': { ...good, blockNumber: undefined },
    'an unknown field': { ...good, extra: 1 },
    'a contract that is no map': { ...good, contracts: { ...good.contracts, BatchAnchors: 7 } },
    'contracts that are no map': { ...good, contracts: 7 },
    'an address with a wrong checksum': {
      ...good,
      contracts: { ...good.contracts, BatchAnchors: { ...contract, address: ADDRESS.replace('F', 'f') } }
    },
    'a code hash that is too short': {
      ...good,
      contracts: { ...good.contracts, BatchAnchors: { ...contract, codeHash: '0xab' } }
    },
    'a negative block': { ...good, blockNumber: -1 },
    'an unknown profile': { ...good, origin: { ...origin, governance: { ...origin.governance, profile: 'anarchy' } } },
    'no profile': { ...good, origin: { ...origin, governance: { ...origin.governance, profile: undefined } } },
    'the zero address as governor': {
      ...good,
      origin: { ...origin, governance: { ...origin.governance, governor: `0x${'00'.repeat(20)}` } }
    },
    'a member twice in a role': {
      ...good,
      origin: { ...origin, governance: { ...origin.governance, members: { PAUSER: [ADDRESS, ADDRESS] } } }
    },
    'a role that is not one': {
      ...good,
      origin: { ...origin, governance: { ...origin.governance, members: { ADMIN: [ADDRESS] } } }
    },
    'a precompile that is perhaps there': { ...good, origin: { ...origin, p256Precompile: 'yes' } },
    'a network’s name that is too long': { ...good, origin: { ...origin, network: 'n'.repeat(65) } }
  }
  for (const [what, json] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      await expectCode('DEPLOYMENT_SHAPE', () => readDeployment(json))
    })
  }
})
