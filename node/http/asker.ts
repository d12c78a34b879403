import { isIPv6 } from 'node:net'

/**
 * Whom an address counts as: an IPv4 address as itself, an IPv6 address as its first 64 bits, since one connection is commonly
 * given all that share them.
 *
 * @param address - as a socket tells it; an IPv4 address mapped into IPv6 counts as IPv4
 */
export function askerOfAddress(address: string): string {
  const groups = groupsOfAddress(address)
  if (typeof groups === 'string') return groups
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** An address in one way of writing it, whole: who shares 64 bits with a proxy is not that proxy. */
export function wholeAddress(address: string): string {
  const groups = groupsOfAddress(address)
  return typeof groups === 'string' ? groups : groups.join(':')
}

/** The eight groups of an IPv6 address; any other as it is, an IPv4 address that was mapped as IPv4. */
function groupsOfAddress(address: string): readonly string[] | string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped != null) return mapped
  const bare = address.split('%')[0] ?? ''
  if (!isIPv6(bare)) return address
  const [left = '', right] = bare.split('::')
  const head = groupsOf(left)
  const tail = groupsOf(right ?? '')
  const zeros = right == null ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail]
  return groups.map(group => Number.parseInt(group, 16).toString(16))
}

/** Groups of 16 bits; an IPv4 address at the end stands for two. */
function groupsOf(part: string): string[] {
  if (part === '') return []
  return part.split(':').flatMap(group => {
    if (!group.includes('.')) return [group]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)]
  })
}
