import { isIPv6 } from 'node:net'

/**
 * Whom an address counts as: an IPv4 address as itself, an IPv6 address as its first 64 bits, since one connection is commonly
 * given all that share them.
 *
 * @param address - as a socket tells it; an IPv4 address mapped into IPv6 counts as IPv4
 */
export function askerOfAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped != null) return mapped
  const bare = address.split('%')[0] ?? ''
  if (!isIPv6(bare)) return address
  const [left = '', right] = bare.split('::')
  const head = groupsOf(left)
  const tail = groupsOf(right ?? '')
  const zeros = right == null ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail].slice(0, 4)
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** Groups of 16 bits; an IPv4 address at the end stands for two. */
function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':').flatMap(group => (group.includes('.') ? ['0', '0'] : [group]))
}
