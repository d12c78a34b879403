/** Which addresses that strangers give out a node dials: no way to have it knock at doors for others. */
import { BlockList, isIPv6 } from 'node:net'
import type { Multiaddr } from '@multiformats/multiaddr'

/** What an address may be made of. A name would be asked of a resolver, and could stand for anything. */
const ALLOWED: ReadonlySet<string> = new Set(['ip4', 'ip6', 'tcp', 'ws', 'p2p', 'p2p-circuit'])

/** Networks that are not the internet, each apart: whoever is in one may be reached there by those who are as well. */
const LOCAL: readonly BlockList[] = [
  blockOf('127.0.0.0/8', '::1/128'),
  blockOf('10.0.0.0/8'),
  blockOf('172.16.0.0/12'),
  blockOf('192.168.0.0/16'),
  blockOf('100.64.0.0/10'),
  blockOf('fc00::/7')
]

/** Nobody's, everybody's, or of one link: RFC 6890, RFC 5771, RFC 4291. */
const NEVER: BlockList = blockOf(
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '224.0.0.0/3',
  '::/128',
  'fe80::/10',
  'ff00::/8'
)

/** IPv4 addresses in the form of IPv6 ones, which would have to be judged as what they are. Apart, for a list takes both for the same. */
const MAPPED: BlockList = blockOf('::ffff:0:0/96', '64:ff9b::/96')

/**
 * Whether to dial an address that a stranger says is its own.
 *
 * @param own - addresses of this node
 */
export function isDialable(address: Multiaddr, own: readonly Multiaddr[]): boolean {
  const parts = address.getComponents()
  const [host, port] = parts
  if (host == null || !host.name.startsWith('ip') || port?.name !== 'tcp') return false
  if (!parts.every(({ name }) => ALLOWED.has(name))) return false
  const ownHosts = own.flatMap(hostsOf)
  return hostsOf(address).every(ip => {
    if (isIn(NEVER, ip) || (isIPv6(ip) && isIn(MAPPED, ip))) return false
    const network = LOCAL.find(block => isIn(block, ip))
    return network == null || ownHosts.some(mine => isIn(network, mine))
  })
}

function hostsOf(address: Multiaddr): string[] {
  return address.getComponents().flatMap(({ name, value }) => (name.startsWith('ip') && value != null ? [value] : []))
}

function isIn(block: BlockList, ip: string): boolean {
  return block.check(ip, isIPv6(ip) ? 'ipv6' : 'ipv4')
}

function blockOf(...networks: readonly string[]): BlockList {
  const block = new BlockList()
  for (const network of networks) {
    const [ip = '', bits] = network.split('/')
    block.addSubnet(ip, Number(bits), isIPv6(ip) ? 'ipv6' : 'ipv4')
  }
  return block
}
