import { expect } from 'chai'
import fc from 'fast-check'
import { decode, encode } from '@ipld/dag-cbor'
import { passphraseUnlocker } from '#core/agent/passphrase-lock.ts'
import type { ScryptCost } from '#core/crypto/scrypt.ts'
import { checkPassphrase, estimateBits } from '#core/agent/passphrase-strength.ts'
import { createVault, makeLock, openVault, sealVault, wipeVault, type Unlocker } from '#core/agent/vault.ts'
import { portablePrimitives } from '#core/crypto/portable.ts'
import { portableStretch } from '#core/crypto/portable-scrypt.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import { expectCode } from '#test/error-code.ts'
import { seededRandom } from '#test/seeded-random.ts'

const CHEAP: ScryptCost = { logN: 14, r: 8, p: 1 }
const STATE = utf8('every key of a record')
const random = seededRandom('vault')
const unlockerOf = (passphrase: string): Unlocker =>
  passphraseUnlocker(nativeStretch, random, { passphrase, cost: CHEAP })

/** Another kind of lock, as a passkey's would be. */
const tokenOf = (byte: number): Unlocker => ({
  kind: 'token',
  enrol: () => new Uint8Array(4).fill(7),
  keyOf: async () => Promise.resolve(new Uint8Array(32).fill(byte))
})

async function vaultOf(...unlockers: readonly Unlocker[]): Promise<Uint8Array> {
  return sealVault(p, random, await createVault(p, random, unlockers, STATE.slice()))
}

describe('a vault', function () {
  this.timeout(60_000)
  let bytes: Uint8Array

  before(async () => {
    bytes = await vaultOf(unlockerOf('correct horse battery staple'))
  })

  it('opens with its passphrase, written in any form of Unicode', async () => {
    expect((await openVault(p, bytes, unlockerOf('correct horse battery staple'))).state).to.deep.equal(STATE)
    const accented = await vaultOf(unlockerOf('caf\u00e9 au lait \u00e0 midi'))
    expect((await openVault(p, accented, unlockerOf('cafe\u0301 au lait a\u0300 midi'))).state).to.deep.equal(STATE)
  })

  it('opens in pure JavaScript as by OpenSSL', async () => {
    const portable = passphraseUnlocker(portableStretch, random, { passphrase: 'correct horse battery staple' })
    expect((await openVault(portablePrimitives, bytes, portable)).state).to.deep.equal(STATE)
  })

  it('refuses a wrong passphrase and another kind of lock', async () => {
    await expectCode('VAULT_REFUSED', () => openVault(p, bytes, unlockerOf('correct horse battery stable')))
    await expectCode('VAULT_NO_LOCK', () => openVault(p, bytes, tokenOf(1)))
  })

  it('opens with each of several locks', async () => {
    const both = await vaultOf(unlockerOf('correct horse battery staple'), tokenOf(1))
    for (const each of [unlockerOf('correct horse battery staple'), tokenOf(1)]) {
      expect((await openVault(p, both, each)).state).to.deep.equal(STATE)
    }
    await expectCode('VAULT_REFUSED', () => openVault(p, both, tokenOf(2)))
  })

  it('keeps its locks when the state changes, and opens no newer state with an older list of locks', async () => {
    const open = await openVault(p, bytes, unlockerOf('correct horse battery staple'))
    const changed = sealVault(p, random, { ...open, state: utf8('more keys') })
    expect((await openVault(p, changed, unlockerOf('correct horse battery staple'))).state).to.deep.equal(
      utf8('more keys')
    )
    const added = [...open.locks, await makeLock(p, random, open.dataKey, tokenOf(1))]
    const newer = decode<Record<string, unknown>>(sealVault(p, random, { ...open, locks: added }))
    const mixed = encode({ ...newer, locks: open.locks })
    await expectCode('VAULT_DAMAGED', () => openVault(p, mixed, unlockerOf('correct horse battery staple')))
  })

  it('shows neither state nor keys, and no length of the state', async () => {
    const open = await openVault(p, bytes, unlockerOf('correct horse battery staple'))
    for (const secret of [STATE, open.dataKey]) expect(Buffer.from(bytes).includes(Buffer.from(secret))).to.equal(false)
    const longer = sealVault(p, random, { ...open, state: new Uint8Array(900) })
    expect(longer.length).to.equal(bytes.length)
  })

  it('forgets its keys when it is wiped', async () => {
    const open = await openVault(p, bytes, unlockerOf('correct horse battery staple'))
    wipeVault(open)
    expect(open.dataKey).to.deep.equal(new Uint8Array(32))
    expect(open.state).to.deep.equal(new Uint8Array(STATE.length))
  })

  it('gives all or a code, whatever bit is changed', async () => {
    const token = await vaultOf(tokenOf(1))
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length * 8 - 1), async bit => {
        const altered = token.slice()
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        try {
          await openVault(p, altered, tokenOf(1))
          return false
        } catch (error) {
          return isSalusError(error) && error.code.startsWith('VAULT_')
        }
      }),
      { numRuns: 400 }
    )
  })

  it('refuses what is cut, prolonged, of another version or no vault at all', async () => {
    const cases: [string, Uint8Array][] = [
      ['VAULT_TRUNCATED', bytes.subarray(0, bytes.length >> 1)],
      ['VAULT_TRAILING', Uint8Array.of(...bytes, 0)],
      ['VAULT_MALFORMED', Uint8Array.of(0xff)],
      ['VAULT_VERSION', encode({ ...decode<Record<string, unknown>>(bytes), v: 2 })],
      ['VAULT_SHAPE', encode({ ...decode<Record<string, unknown>>(bytes), ['__proto__2']: 1 })]
    ]
    for (const [code, bad] of cases) await expectCode(code, () => openVault(p, bad, tokenOf(1)))
  })

  it('does no work that is out of bounds', async () => {
    const salt = new Uint8Array(16)
    const good = { v: 1, kdf: 'scrypt', logN: 17, r: 8, p: 1, salt }
    const cases: [string, Record<string, unknown>][] = [
      ['PASSPHRASE_LOCK_COST', { ...good, logN: 40 }],
      ['PASSPHRASE_LOCK_COST', { ...good, logN: 1 }],
      ['PASSPHRASE_LOCK_COST', { ...good, r: 4096 }],
      ['PASSPHRASE_LOCK_COST', { ...good, p: 1000 }],
      ['PASSPHRASE_LOCK_KDF', { ...good, kdf: 'md5' }],
      ['PASSPHRASE_LOCK_SHAPE', { ...good, salt: new Uint8Array(1) }]
    ]
    for (const [code, parameters] of cases) {
      await expectCode(code, () => unlockerOf('correct horse battery staple').keyOf(encode(parameters)))
    }
  })
})

describe('the strength of a passphrase', () => {
  it('refuses what is short or easy, and takes words at random', async () => {
    for (const weak of ['aaaaaaaaaaaaaaaa', 'password12345', '1234567890123456', 'abcdefghijklmnop', 'qwertyqwerty1']) {
      await expectCode('PASSPHRASE_WEAK', () => checkPassphrase(weak))
    }
    for (const length of ['short', 'x'.repeat(2000)])
      await expectCode('PASSPHRASE_LENGTH', () => checkPassphrase(length))
    for (const good of [
      'correct horse battery staple',
      'wiese lampe quark sturm',
      '\u6708\u5149\u5728\u6cb3\u4e0a\u8dd1\u5411\u5c71\u8c37\u7684\u98ce\u58f0'
    ]) {
      checkPassphrase(good)
    }
  })

  it('never falls when a new character comes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme-ascii' }),
        text => estimateBits(`${text}\u00e9`) >= estimateBits(text) - 1e-9
      )
    )
  })
})
