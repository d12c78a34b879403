import { expect } from 'chai'
import { Wallet } from 'ethers'
import { isSignedBy } from '#node/auth/account-signature.ts'

const TEXT = 'let me in'
const SAYS_YES = { call: async () => Promise.resolve(`0x1626ba7e${'0'.repeat(56)}`) }
const SAYS_NOTHING = { call: async () => Promise.resolve('0x') }

describe('the signature of an account', () => {
  const wallet = Wallet.createRandom()
  const { address } = wallet

  it('is its key’s, whatever an endpoint of the chain says', async () => {
    const signature = await wallet.signMessage(TEXT)
    expect(await isSignedBy(SAYS_NOTHING, { address }, TEXT, signature)).to.equal(true)
    const other = await Wallet.createRandom().signMessage(TEXT)
    for (const forged of [other, '0x00', '0x']) {
      expect(await isSignedBy(SAYS_YES, { address }, TEXT, forged)).to.equal(false)
    }
  })

  it('is what the code says of an account that is configured as a contract', async () => {
    expect(await isSignedBy(SAYS_YES, { address, isContract: true }, TEXT, '0x00')).to.equal(true)
    const signature = await wallet.signMessage(TEXT)
    expect(await isSignedBy(SAYS_NOTHING, { address, isContract: true }, TEXT, signature)).to.equal(false)
  })
})
