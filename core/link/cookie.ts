/**
 * Cookies that make a stranger show that it receives at the address it sends from, before the gateway spends memory or computes for it
 * (as RFC 9147 section 5.1 and WireGuard). The gateway keeps two secrets and nothing per stranger.
 */
import type { Random } from '#core/crypto/primitives.ts'
import { concat, equalBytes, utf8 } from '#core/encoding/bytes.ts'
import { KEY_BYTES, type LinkPrimitives } from '#core/link/primitives.ts'
import { encodeHello, type Hello } from '#core/link/packet.ts'

/** For how long a secret makes new cookies, milliseconds; those that it made are good for as long again. */
const SECRET_MS = 120_000
const COOKIE_BYTES = 16
const NO_COOKIE: Uint8Array = new Uint8Array(COOKIE_BYTES)

/** Makes and checks cookies. */
export interface CookieJar {
  /** The cookie for a hello from an address. */
  make(hello: Hello, from: string, nowMs: number): Uint8Array
  /** Whether the hello's cookie was made for it and this address not long ago. */
  check(hello: Hello, from: string, nowMs: number): boolean
}

/** Makes a jar with fresh secrets. */
export function createCookieJar(p: LinkPrimitives, random: Random): CookieJar {
  let current = { secret: random(KEY_BYTES), sinceMs: 0 }
  let previous = current

  function cookieOf(secret: Uint8Array, hello: Hello, from: string): Uint8Array {
    const covered = encodeHello({ ...hello, cookie: NO_COOKIE })
    return p.hmacSha256(secret, concat(covered, utf8(from))).slice(0, COOKIE_BYTES)
  }

  function turn(nowMs: number): void {
    if (Math.abs(nowMs - current.sinceMs) < SECRET_MS) return
    // After a long silence the last secret is too old as well.
    const isRecent = Math.abs(nowMs - current.sinceMs) < 2 * SECRET_MS
    const next = { secret: random(KEY_BYTES), sinceMs: nowMs }
    previous = isRecent ? current : next
    current = next
  }

  return {
    make(hello, from, nowMs) {
      turn(nowMs)
      return cookieOf(current.secret, hello, from)
    },
    check(hello, from, nowMs) {
      turn(nowMs)
      // A cookie that is guessed in time is one of 2^128, and gives nothing but an answer: comparing bytes as they come is enough.
      return [current, previous].some(({ secret }) => equalBytes(cookieOf(secret, hello, from), hello.cookie))
    }
  }
}
