import { expect } from 'chai'
import { askerOfAddress } from '#node/http/asker.ts'

describe('whom an address counts as', () => {
  it('is itself for IPv4, mapped or not', () => {
    expect(askerOfAddress('192.0.2.7')).to.equal('192.0.2.7')
    expect(askerOfAddress('::ffff:192.0.2.7')).to.equal('192.0.2.7')
  })

  it('is the first 64 bits for IPv6, however written', () => {
    const asker = askerOfAddress('2001:db8:0:1::1')
    expect(asker).to.equal('2001:db8:0:1::/64')
    expect(askerOfAddress('2001:0db8::1:ffff:2:3:4')).to.equal(asker)
    expect(askerOfAddress('2001:db8:0:1:5:6:7:8%eth0')).to.equal(asker)
    expect(askerOfAddress('2001:db8:0:2::1')).to.not.equal(asker)
    expect(askerOfAddress('::1')).to.equal('0:0:0:0::/64')
  })
})
