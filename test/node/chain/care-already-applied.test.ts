import { expect } from 'chai'
import { id } from 'ethers'
import type { RequestContract } from '#core/chain/contract-names.ts'
import { isAlreadyApplied } from '#node/chain/already-applied.ts'
import { CONTRACT_INTERFACES } from '#node/chain/contract-errors.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import {
  HOUR,
  JUSTIFIED,
  QUESTIONABLE,
  REPORT,
  STATEMENT,
  breakGlass,
  dispute,
  emergencyIdOf,
  emergencyOf,
  end,
  reviewByCredential,
  signBreakGlass,
  type Emergency
} from '#test/contracts/emergency-requests.ts'
import { openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'

describe('a refused request about credentials and emergencies was applied before', () => {
  let chain: TestChain
  let world: EmergencyWorld
  let emergency: Emergency
  before(async () => {
    chain = await openChain()
    world = await openWorld(chain)
    emergency = emergencyOf(world.patient, world.adas)
    await breakGlass(chain, [world.ada], emergency)
  })
  after(() => chain.close())

  /** Goes through the ABI as the relayer does. */
  async function asked(
    contract: RequestContract,
    method: string,
    sent: readonly unknown[],
    errorName: string,
    errorArgs: readonly unknown[]
  ): Promise<boolean> {
    const abi = CONTRACT_INTERFACES[contract]
    const args = abi.decodeFunctionData(method, abi.encodeFunctionData(method, sent)).toArray()
    return isAlreadyApplied(chain, { contract, method, args, errorName, errorArgs })
  }

  it('if all its credentials are there with the same terms', async () => {
    const [first, second] = [accountKey('first'), accountKey('second')]
    const both = await world.hospital.prepare([{ holder: first }, { holder: second }])
    const one = await world.hospital.prepare([{ holder: first }])
    const other = await world.hospital.prepare([{ holder: first, terms: { role: 2 } }])
    await chain.contracts.credentials.issue(...one)
    const issue = async (args: readonly unknown[]): Promise<boolean> =>
      asked('CredentialRegistry', 'issue', args, 'CredentialAlreadyIssued', [])
    expect([await issue(one), await issue(other), await issue(both)]).to.deep.equal([true, false, false])
  })

  it('if the credential is revoked', async () => {
    const args = [world.hospital.organisation, world.ada.id, id('salt'), 1, '0x', '0x']
    expect(await asked('CredentialRegistry', 'revoke', args, 'CredentialIsRevoked', [id('x')])).to.equal(true)
    expect(await asked('CredentialRegistry', 'revoke', args, 'OrganisationUnknown', [id('x')])).to.equal(false)
  })

  it('if the emergency was declared for the same reason and time', async () => {
    const declare = async (special: { reason?: string; duration?: number } = {}): Promise<boolean> => {
      const args = await signBreakGlass(chain, [world.ada], emergency, special)
      return asked('EmergencyAccess', 'breakGlass', args, 'EmergencyAlreadyDeclared', [emergencyIdOf(emergency)])
    }
    expect(await declare()).to.equal(true)
    expect(await declare({ reason: id('another reason') })).to.equal(false)
    expect(await declare({ duration: 2 * HOUR })).to.equal(false)
  })

  it('if the emergency was ended, disputed and reviewed alike', async () => {
    const { ada, rita, ritas, patientKey } = world
    const ids = [emergencyIdOf(emergency)]
    const ended = async (): Promise<boolean> =>
      asked('EmergencyAccess', 'end', [emergency, 1, '0x', '0x'], 'EmergencyIsOver', ids)
    expect(await ended()).to.equal(false)
    await end(chain, ada, emergency)
    expect(await ended()).to.equal(true)
    const declared = await signBreakGlass(chain, [ada], emergency)
    expect(await asked('EmergencyAccess', 'breakGlass', declared, 'EmergencyAlreadyDeclared', ids)).to.equal(true)

    await dispute(chain, patientKey, emergency)
    const disputed = async (statement: string): Promise<boolean> =>
      asked('EmergencyAccess', 'dispute', [emergency, statement, 1, '0x', '0x'], 'EmergencyAlreadyDisputed', ids)
    expect([await disputed(STATEMENT), await disputed(id('x'))]).to.deep.equal([true, false])

    await reviewByCredential(chain, rita, emergency, ritas)
    const reviewed = async (outcome: number, report: string): Promise<boolean> => {
      const args = [emergency, outcome, report, ritas, 1, { signer: '0x', signature: '0x' }]
      return asked('EmergencyAccess', 'reviewByCredential', args, 'EmergencyAlreadyReviewed', ids)
    }
    expect(await reviewed(JUSTIFIED, REPORT)).to.equal(true)
    expect([await reviewed(QUESTIONABLE, REPORT), await reviewed(JUSTIFIED, id('x'))]).to.deep.equal([false, false])
  })
})
