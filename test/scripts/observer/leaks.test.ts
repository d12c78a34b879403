import { expect } from 'chai'
import { encodeBytes32String, hexlify, id, keccak256, toBeHex, toUtf8Bytes, zeroPadBytes } from 'ethers'
import { CID } from 'multiformats/cid'
import type { Report } from '#scripts/observer/search.ts'
import { openAnvil, type AnvilBackend } from '#test/contracts/backends/anvil.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { accountKey } from '#test/contracts/keys.ts'
import { CAREFUL, type Habits } from '#test/scripts/observer/habits.ts'
import { changeHands, takeConsent, useGrants, type Step } from '#test/scripts/observer/patient-story.ts'
import { CIDS } from '#test/scripts/observer/secrets.ts'
import { tellOfPatient } from '#test/scripts/observer/story.ts'
import { watch } from '#test/scripts/observer/watch.ts'

const PSYCHIATRY = 16

/** The bytes, with zeros after them where a contract takes 32. */
const padded = (bytes: Uint8Array | string): string =>
  zeroPadBytes(hexlify(typeof bytes === 'string' ? toUtf8Bytes(bytes) : bytes), 32)

describe('what a careless agent would show', function () {
  this.timeout(120_000)
  let backend: AnvilBackend
  let chain: TestChain
  let world: EmergencyWorld
  before(async () => {
    backend = await openAnvil()
    chain = await openChain(backend)
    world = await openWorld(chain, accountKey('somebody else'))
  })
  after(() => chain.close())

  const reportOf = async (careless: Partial<Habits>, steps: readonly Step[]): Promise<Report> => {
    const fromBlock = (await backend.provider.getBlockNumber()) + 1
    const habits = { ...CAREFUL, salt: () => CAREFUL.salt(), ...careless }
    const story = await tellOfPatient(chain, world, { habits, steps, run: String(fromBlock) })
    return watch({ backend, chain }, story, fromBlock)
  }

  it('is nothing if it is careful', async () => {
    const { findings, links } = await reportOf({}, [takeConsent])
    expect([findings, links]).to.deep.equal([[], []])
  })

  describe('in place of a salted digest', () => {
    const found: Record<string, [digest: string, needle: string]> = {
      'a name': [encodeBytes32String('Dr. Erika Mustermann'), 'name'],
      'a health word in ASCII': [encodeBytes32String('Medication'), 'health word medication'],
      'a word with an umlaut in UTF-8': [padded('Ängste'), 'field policy, which is no digest'],
      'a health word in UTF-16': [padded(Buffer.from('blood', 'utf16le')), 'health word blood in UTF-16'],
      'a health word in hexadecimal': [
        padded(Buffer.from('diagnosis').toString('hex')),
        'health word diagnos in hexadecimal'
      ],
      'a health word in base64': [
        padded(Buffer.from('no allergies').toString('base64')),
        'health word allerg in base64'
      ],
      'a word that no list has': [padded('Zoster'), 'field policy, which is no digest'],
      'a word that no list has, in hexadecimal': [
        hexlify(toUtf8Bytes(Buffer.from('Zosteroiderkrank').toString('hex'))),
        'field policy, which is no digest'
      ],
      'the code of a specialty': [toBeHex(PSYCHIATRY, 32), 'field policy, which is no digest'],
      'a record’s CID': [hexlify(CID.parse(CIDS[0]).multihash.digest), `entry ${CIDS[0].slice(-4)} as digest`],
      'keccak-256 of a disease': [id('diabetes'), 'hash of diabetes, without salt'],
      'keccak-256 of a disease’s code': [id('F32.1'), 'hash of F32.1, without salt'],
      'keccak-256 of a birth date': [id('1964-08-12'), 'hash of 1964-08-12, without salt'],
      'keccak-256 of a specialty’s name': [id('psychiatry'), 'hash of psychiatry, without salt'],
      'keccak-256 of a specialty’s code': [keccak256(toBeHex(PSYCHIATRY, 32)), 'hash of the number 16, without salt'],
      'keccak-256 of a padded word': [keccak256(encodeBytes32String('cancer')), 'hash of cancer, without salt']
    }
    for (const [what, [digest, needle]] of Object.entries(found)) {
      it(`${what} is found`, async () => {
        const { findings } = await reportOf({ commit: () => digest }, [takeConsent])
        expect(findings.map(finding => finding.needle)).to.include(needle)
      })
    }
  })

  describe('of two relationships of one patient', () => {
    const same = id('the same for all')
    const found: Record<string, [careless: Partial<Habits>, steps: Step[], link: RegExp]> = {
      'one digest of its reasons': [{ commit: () => same }, [takeConsent], new RegExp(same.slice(2))],
      'one salt': [{ salt: () => same }, [takeConsent], new RegExp(same.slice(2))],
      'one bundle of keys': [{ keyBundle: () => Promise.resolve(same) }, [], new RegExp(same.slice(2))],
      'guardians with one address': [
        { guardian: who => accountKey(`${who} of all`) },
        [changeHands],
        new RegExp(accountKey('friend of all').id.slice(2), 'i')
      ],
      'grants that end in the same second': [
        { term: () => ({ ...CAREFUL.term(), expiresAt: 1_893_456_000 }) },
        [useGrants],
        /the time 2030-01-01T00:00:00.000Z/
      ],
      'a delay of recovery that nobody else has': [
        { recoveryDelay: () => 100_001 },
        [changeHands],
        /^the delay 100001$/
      ],
      'requests for the same thing at once': [{ pause: () => Promise.resolve() }, [takeConsent], /the minute of/]
    }
    for (const [what, [careless, steps, link]] of Object.entries(found)) {
      it(`${what} tell that they belong together`, async () => {
        const { links } = await reportOf(careless, steps)
        for (const between of [
          ['relationship 0', 'relationship 1'],
          ['relationship 1', 'relationship 2']
        ]) {
          const shared = links.filter(each => each.between.join() === between.join()).map(each => each.shared)
          expect(
            shared.some(each => link.test(each)),
            shared.join()
          ).to.equal(true)
        }
      })
    }
  })
})
