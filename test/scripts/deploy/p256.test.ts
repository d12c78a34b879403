import { expect } from 'chai'
import type { Provider } from 'ethers'
import { hasP256Precompile } from '#scripts/deploy/p256.ts'
import { verifyDeployment } from '#scripts/deploy/verify/verify.ts'
import { expectCode } from '#test/error-code.ts'
import { openGovernedChain } from '#test/scripts/deploy/governed-chain.ts'

describe('the P-256 precompile', () => {
  it('is found on a chain that has it', async () => {
    const chain = await openGovernedChain()
    expect(await hasP256Precompile(chain.provider)).to.be.true
    await chain.close()
  })

  it('is missed on one that does not; deploying there has to be asked for and is recorded', async () => {
    const chain = await openGovernedChain('prague')
    try {
      expect(await hasP256Precompile(chain.provider)).to.be.false
      await expectCode('DEPLOY_NO_P256', () => chain.deploy())
      const deployment = await chain.deploy({ allowNoP256: true })
      expect(deployment.origin?.p256Precompile).to.be.false
      await chain.handOver(deployment)
      expect((await verifyDeployment(chain.provider, deployment)).findings).to.deep.equal([])
      // A chain that got it since is found out.
      const since = { ...deployment, origin: { ...deployment.origin!, p256Precompile: true } }
      const { findings } = await verifyDeployment(chain.provider, since)
      expect(findings.map(({ code }) => code)).to.deep.equal(['VERIFY_P256'])
    } finally {
      await chain.close()
    }
  })

  it('is not taken for there when something says yes to everything', async () => {
    const yes = { call: () => Promise.resolve(`0x${'00'.repeat(31)}01`) } as unknown as Provider
    expect(await hasP256Precompile(yes)).to.be.false
  })
})
