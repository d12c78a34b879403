/** Readers of command line values; a wrong one is said before anything is done. */
import { InvalidArgumentError } from 'commander'
import type { Hex } from '#core/chain/events.ts'

/** 32 bytes, `0x` and 64 digits. */
export function readBytes32(text: string): Hex {
  return readHex(text, 32)
}

/** 20 bytes, `0x` and 40 digits. */
export function readAddress(text: string): Hex {
  return readHex(text, 20)
}

/** A whole number from 0. */
export function readCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

function readHex(text: string, length: number): Hex {
  if (!new RegExp(`^0x[0-9a-fA-F]{${String(2 * length)}}$`).test(text)) {
    throw new InvalidArgumentError(`Expected 0x and ${String(2 * length)} hexadecimal digits.`)
  }
  return text.toLowerCase() as Hex
}

/** Where to listen: `host:port`, `[ipv6]:port` or a port of this machine. */
export function readListenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits == null || port > 65_535) throw new InvalidArgumentError('Expected host:port.')
  return { host: bracketed ?? plain ?? '127.0.0.1', port }
}
