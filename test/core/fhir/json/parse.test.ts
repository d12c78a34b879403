import { expect } from 'chai'
import fc from 'fast-check'
import { utf8 } from '#core/encoding/bytes.ts'
import { canonicalJson, parseJson } from '#core/fhir/json/parse.ts'
import { createJsonScanner } from '#core/fhir/json/scanner.ts'
import { isSalusError } from '#core/error.ts'
import { expectCode } from '#test/error-code.ts'

const SMALL = { maxBytes: 1000, maxDepth: 4, maxItems: 20 }
const parse = (text: string): unknown => parseJson(utf8(text), SMALL)

describe('JSON from strangers', () => {
  it('refuses each kind of bad text with its own code', async () => {
    const cases: [string, string][] = [
      ['JSON_TRUNCATED', ''],
      ['JSON_TRUNCATED', '   '],
      ['JSON_TRUNCATED', '{"a":1'],
      ['JSON_TRUNCATED', '"a'],
      ['JSON_TRUNCATED', '{"a"'],
      ['JSON_MALFORMED', '{"a":01}'],
      ['JSON_MALFORMED', '{"a":+1}'],
      ['JSON_MALFORMED', '{"a":.5}'],
      ['JSON_MALFORMED', '{"a":1.}'],
      ['JSON_MALFORMED', '{"a":NaN}'],
      ['JSON_MALFORMED', '{"a":tru}'],
      ['JSON_MALFORMED', '{"a":1,}'],
      ['JSON_MALFORMED', '[1,]'],
      ['JSON_MALFORMED', '{a:1}'],
      ['JSON_MALFORMED', '{"a" 1}'],
      ['JSON_MALFORMED', '[1}'],
      ['JSON_MALFORMED', ']'],
      ['JSON_MALFORMED', '"\\x"'],
      ['JSON_MALFORMED', '"\\u12g4"'],
      ['JSON_MALFORMED', '"\n"'],
      ['JSON_MALFORMED', `{"${'k'.repeat(300)}":1}`],
      ['JSON_MALFORMED', `[${'1'.repeat(100)}]`],
      ['JSON_MALFORMED', '\ufeff{}'],
      ['JSON_TRAILING', '{} {}'],
      ['JSON_TRAILING', '{}\n{}'],
      ['JSON_DUPLICATE_KEY', '{"a":1,"\\u0061":2}'],
      ['JSON_KEY', '{"__proto__":{"x":1}}'],
      ['JSON_KEY', '{"\\u005f_proto__":1}'],
      ['JSON_KEY', '[{"constructor":1}]'],
      ['JSON_NUMBER', '[1e999]'],
      ['JSON_SURROGATE', '"\\ud800"'],
      ['JSON_SURROGATE', '"\\ud800x"'],
      ['JSON_SURROGATE', '"\\udc00"'],
      ['JSON_SURROGATE', '"\\ud800\\ud800"'],
      ['JSON_DEPTH', '[[[[[1]]]]]'],
      ['JSON_ITEMS', `[${'1,'.repeat(30)}1]`],
      ['JSON_OVERSIZE', `"${'a'.repeat(1000)}"`]
    ]
    for (const [code, text] of cases) await expectCode(code, () => parse(text))
    await expectCode('JSON_MALFORMED', () => parseJson(Uint8Array.of(0x22, 0xff, 0x22)))
    await expectCode('JSON_MALFORMED', () => parseJson(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)))
    await expectCode('JSON_MALFORMED', () => parseJson(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)))
    await expectCode('JSON_DEPTH', () => parseJson(utf8('['.repeat(1_000_000))))
  })

  it('reads what the platform reads, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 1, max: 7 }), (text, size) => {
        const forbidden = /__proto__|constructor|prototype/.test(text)
        fc.pre(!forbidden && text.isWellFormed() && !/\\ud[89a-f]/i.test(text))
        const bytes = utf8(text)
        expect(parseJson(bytes)).to.deep.equal(JSON.parse(text))
        let depth = 0
        const scanner = createJsonScanner(
          { maxBytes: 1e6, maxDepth: 64, maxItems: 1e6 },
          { key() {}, begin: () => (depth++, false), end: () => (depth -= 1), text() {}, unit() {} }
        )
        for (let i = 0; i < bytes.length; i += size) scanner.write(bytes.subarray(i, i + size))
        scanner.end()
        expect(depth).to.equal(0)
      })
    )
  })

  it('never accepts what the platform refuses', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'u',
      '0',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      'a',
      ' ',
      '\n'
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const text = pieces.join('')
        try {
          parse(text)
        } catch (error) {
          expect(isSalusError(error)).to.equal(true)
          return
        }
        expect(() => JSON.parse(text) as unknown).not.to.throw()
      }),
      { numRuns: 2000 }
    )
  })

  it('compares documents in the form of RFC 8785', async () => {
    // The example of RFC 8785, section 3.2.2.
    const example =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    const canonical =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    expect(canonicalJson(parseJson(utf8(example)))).to.equal(canonical)
    await expectCode('JSON_MALFORMED', () => canonicalJson(undefined))
  })
})
