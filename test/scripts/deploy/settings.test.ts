import { expect } from 'chai'
import { Contract, ZeroHash, id } from 'ethers'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { escrowWarrantAbi } from '#core/abi/EscrowWarrant.ts'
import { privacyLedgerAbi } from '#core/abi/PrivacyLedger.ts'
import { releaseRegistryAbi } from '#core/abi/ReleaseRegistry.ts'
import type { ContractName } from '#core/chain/contract-names.ts'
import { governedBy } from '#scripts/deploy/governance/governor.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'
import { openGovernedChain, type GovernedChain } from '#test/scripts/deploy/governed-chain.ts'

const LIMITS =
  'EmergencyAccess, limits: perResponder 12, perPatient 6, window 86400, reviewWithin 259200, maxOverdue 3, blockFor 2592000'
const people = ['0x0a', '0x0b', '0x0c', '0x0d'].map(seed => `0x${id(seed).slice(26)}`)

describe('what verifying shows of governance', () => {
  let chain: GovernedChain
  beforeEach(async () => {
    chain = await openGovernedChain()
  })
  afterEach(() => chain.close())

  it('is who may act after which delay, and that nothing is set yet', async () => {
    const { governor, pauser, accreditor, reviewer } = chain.people
    const deployment = await chain.deploy()
    await chain.handOver(deployment)
    expect((await verifyDeployment(chain.provider, deployment)).settings).to.deep.equal([
      `ADMIN ${governor.address}: after 172800 s`,
      `GOVERNOR ${governor.address}: after 172800 s`,
      `PAUSER ${pauser.address}: at once`,
      `ACCREDITOR ${accreditor.address}: after 86400 s`,
      `REVIEWER ${reviewer.address}: at once`,
      'LEDGER_KEEPER: nobody',
      'AUDITOR: nobody',
      LIMITS,
      'ReleaseRegistry, stewards: nobody',
      'EscrowWarrant, auditors: nobody'
    ])
  })

  it('is the newest of what was set, and nothing of a contract whose code is another', async () => {
    const { deployer } = chain.people
    const deployment = await chain.deploy({ governance: governedBy(deployer.address) })
    const at = (name: ContractName, abi: typeof credentialRegistryAbi | readonly unknown[]): Contract =>
      new Contract(deployment.contracts[name].address, abi as [], deployer)
    const call = async (contract: Contract, method: string, ...args: unknown[]): Promise<void> => {
      await (await contract.getFunction(method).send(...args)).wait()
    }
    const credentials = at('CredentialRegistry', credentialRegistryAbi)
    const organisations = []
    for (const person of people) {
      organisations.push(
        String(await credentials.getFunction('accredit').staticCall(person, id('profile'), id('salt')))
      )
      await call(credentials, 'accredit', person, id('profile'), id('salt'))
    }
    await call(credentials, 'suspend', organisations[0])
    await call(credentials, 'exclude', organisations[1])
    await call(credentials, 'exclude', organisations[2])
    await call(credentials, 'reinstate', organisations[2])
    const releases = at('ReleaseRegistry', releaseRegistryAbi)
    const scheme = [ZeroHash, ZeroHash, ZeroHash, 0, 0]
    const schemeId = String(await releases.getFunction('addScheme').staticCall(scheme))
    await call(releases, 'addScheme', scheme)
    await call(releases, 'setStewards', people, 2)
    await call(releases, 'setStewards', people.slice(1), 3)
    const ledger = at('PrivacyLedger', privacyLedgerAbi)
    await call(ledger, 'setCap', id('data'), 10, 5)
    await call(ledger, 'setCap', id('data'), 8, 4)
    await call(ledger, 'setRegulator', deployer.address, true)
    const warrants = at('EscrowWarrant', escrowWarrantAbi)
    const places = people.map(person => id(person))
    await call(warrants, 'setAuditors', people, places, 3, 1)
    const expected = [
      `CredentialRegistry, organisation ${organisations[0]!}: suspended`,
      `CredentialRegistry, organisation ${organisations[1]!}: excluded`,
      `CredentialRegistry, organisation ${organisations[2]!}: accredited`,
      `CredentialRegistry, organisation ${organisations[3]!}: accredited`,
      LIMITS,
      `ReleaseRegistry, scheme ${schemeId}: live`,
      `ReleaseRegistry, stewards: 3 of ${people.slice(1).join(',')}`,
      `PrivacyLedger, data set ${id('data')}: cap 8, of one researcher 4`,
      `PrivacyLedger, regulator ${deployer.address}: yes`,
      `EscrowWarrant, auditors: 3 of ${people.join(',')}, 1 stop; of ${places.join(',')}`
    ]
    const shown = async (): Promise<readonly string[]> =>
      (await verifyDeployment(chain.provider, deployment)).settings.filter(line => line.includes(', '))
    expect(await shown()).to.deep.equal(expected)
    await call(releases, 'retireScheme', schemeId)
    await call(ledger, 'setRegulator', deployer.address, false)
    const changed = await shown()
    expect(changed).to.include(`ReleaseRegistry, scheme ${schemeId}: retired`)
    expect(changed).to.include(`PrivacyLedger, regulator ${deployer.address}: no longer`)
    await chain.setCode(deployment.contracts.PrivacyLedger.address, '0x00')
    expect((await shown()).filter(line => line.startsWith('PrivacyLedger'))).to.deep.equal([])
    await chain.setCode(deployment.contracts.AccessManager.address, '0x00')
    expect(await shown()).to.deep.equal([])
  })
})
