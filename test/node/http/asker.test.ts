import { expect } from 'chai'
import fc from 'fast-check'
import { Hono } from 'hono'
import { askerOfAddress, wholeAddress } from '#node/http/asker.ts'
import { noteAsker } from '#node/http/caller.ts'

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

  it('is one address, however written, where a proxy is meant', () => {
    expect(wholeAddress('2001:db8:0:1::1')).to.equal(wholeAddress('2001:0DB8::1:0:0:0:1'))
    expect(wholeAddress('2001:db8:0:1::1')).to.not.equal(wholeAddress('2001:db8:0:1::2'))
    expect(wholeAddress('::1')).to.not.equal(wholeAddress('::2'))
    expect(wholeAddress('64:ff9b::192.0.2.33')).to.equal(wholeAddress('64:ff9b::c000:221'))
    expect(wholeAddress('::ffff:192.0.2.7')).to.equal('192.0.2.7')
    expect(wholeAddress('fe80::1%eth0')).to.equal(wholeAddress('fe80::1'))
    fc.assert(
      fc.property(fc.ipV6(), address => {
        expect(wholeAddress(wholeAddress(address))).to.equal(wholeAddress(address))
      })
    )
  })

  for (const [proxy, from, asker] of [
    ['127.0.0.1', '127.0.0.1', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::1', '203.0.113.7'],
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:0::/64'],
    ['::2', '::1', '0:0:0:0::/64']
  ] as const) {
    it(`is ${asker} for a request of ${from} where ${proxy} is trusted`, async () => {
      const app = new Hono()
      app.use(noteAsker([proxy]))
      app.get('/', context => context.text(context.var.asker))
      const env = { incoming: { socket: { remoteAddress: from } } }
      const answer = await app.request('/', { headers: { 'x-forwarded-for': '203.0.113.7' } }, env)
      expect(await answer.text()).to.equal(asker)
    })
  }
})
