import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from '#core/encoding/bytes.ts'
import { isSalusError } from '#core/error.ts'
import { decodeVerifierKey, encodeVerifierKey, isKeyName, parseNote, signaturesBy } from '#core/tlog/signed-note.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { expectCode } from '#test/error-code.ts'

/** The example of the C2SP page on signed notes. */
const KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'

describe('signed note', () => {
  it('reads the example of its page, and its key', () => {
    const key = decodeVerifierKey(p, KEY)
    expect(encodeVerifierKey(p, key)).to.equal(KEY)
    const note = parseNote(NOTE)
    const [signature] = signaturesBy(p, note, key)
    expect(p.ed25519Verify(key.publicKey, utf8(note.text), signature!.bytes)).to.equal(true)
    expect(signaturesBy(p, note, { ...key, type: 4 })).to.have.length(0)
  })

  it('refuses keys with another id, type, name or length', async () => {
    for (const bad of [
      KEY.replace('530d903a', '530d903b'),
      KEY.replace('example', 'exam ple'),
      KEY.replace('+Aek', '+Bek'),
      KEY.slice(0, -4),
      `${KEY}AAAA`,
      ''
    ]) {
      await expectCode('NOTE_KEY', () => decodeVerifierKey(p, bad))
    }
  })

  it('refuses notes without text, signature or newline, and characters that no note has', async () => {
    for (const bad of [
      '',
      '\n\n',
      'text\n',
      'text\n\n',
      NOTE.slice(0, -1),
      NOTE.replace('— ', '- '),
      NOTE.replace('This', 'Th\u0007is'),
      NOTE.replace('This', 'Th\rs'),
      NOTE.replace('This', '\ufffd'),
      NOTE.replace('aQM=', 'aQN='),
      NOTE + '— a b\n'.repeat(65),
      NOTE.replace('message', 'm'.repeat(17_000))
    ]) {
      await expectCode('NOTE_MALFORMED', () => parseNote(bad))
    }
  })

  it('knows what a key may be called', () => {
    expect(['a', 'example.com/log', 'ünïcode'].every(isKeyName)).to.equal(true)
    expect(['', 'a b', 'a+b', 'a\u2003b', 'a\nb', 'x'.repeat(257)].some(isKeyName)).to.equal(false)
  })

  it('throws nothing but its own refusal, whatever it is given', () => {
    const noise = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string().map(tail => NOTE.slice(0, 60) + tail)
    )
    fc.assert(
      fc.property(noise, text => {
        for (const read of [() => parseNote(text), () => decodeVerifierKey(p, text)]) {
          try {
            read()
          } catch (error) {
            if (!isSalusError(error)) throw error
          }
        }
      })
    )
  })
})
