import { expect } from 'chai'
import { multiaddr } from '@multiformats/multiaddr'
import { isDialable } from '#node/placement/dialable.ts'

const PEER = '12D3KooWHFrmLWTTDD4NodngtRMEVYgxrsDMp4F9iSwYntZ9WjHa'

describe('addresses that strangers give out', () => {
  const dialable = (address: string, own: readonly string[] = ['/ip4/203.0.113.7/tcp/4001']): boolean =>
    isDialable(
      multiaddr(address),
      own.map(text => multiaddr(text))
    )

  it('are dialled on the internet', () => {
    for (const address of [
      '/ip4/198.51.100.9/tcp/4001',
      '/ip4/198.51.100.9/tcp/443/ws',
      '/ip6/2001:db8::1/tcp/4001',
      `/ip4/198.51.100.9/tcp/4001/p2p/${PEER}/p2p-circuit/p2p/${PEER}`
    ]) {
      expect(dialable(address), address).to.equal(true)
    }
  })

  it('are no way to knock at doors of this machine, its network, or a name', () => {
    for (const address of [
      '/ip4/127.0.0.1/tcp/8545',
      '/ip4/10.0.0.1/tcp/22',
      '/ip4/172.20.1.1/tcp/5432',
      '/ip4/192.168.1.1/tcp/80',
      '/ip4/100.64.0.1/tcp/80',
      '/ip4/169.254.169.254/tcp/80',
      '/ip4/224.0.0.1/tcp/80',
      '/ip4/255.255.255.255/tcp/80',
      '/ip4/0.0.0.0/tcp/80',
      '/ip6/::1/tcp/80',
      '/ip6/::/tcp/80',
      '/ip6/fe80::1/tcp/80',
      '/ip6/fd00::1/tcp/80',
      '/ip6/::ffff:127.0.0.1/tcp/80',
      '/ip6/64:ff9b::7f00:1/tcp/80',
      '/dns4/example.org/tcp/80',
      '/dnsaddr/example.org',
      '/ip4/198.51.100.9/udp/53',
      '/ip4/198.51.100.9/tcp/80/http'
    ]) {
      expect(dialable(address), address).to.equal(false)
    }
  })

  it('are dialled in the networks that this node is in', () => {
    expect(dialable('/ip4/127.0.0.1/tcp/4001', ['/ip4/127.0.0.1/tcp/9'])).to.equal(true)
    expect(dialable('/ip4/10.2.0.1/tcp/4001', ['/ip4/10.1.0.1/tcp/9'])).to.equal(true)
    expect(dialable('/ip4/192.168.0.1/tcp/4001', ['/ip4/10.1.0.1/tcp/9'])).to.equal(false)
  })
})
