import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { portablePrimitives as p } from '#core/crypto/portable.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { deriveKemKeyPair } from '#core/crypto/hpke.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { encodeCanonical } from '#core/encoding/canonical.ts'
import { readAlarm } from '#core/consent/alarm.ts'
import { MAX_ALERT_BYTES, encodeAlert, openAlert, signAlert, type Alert } from '#core/clinical/alert.ts'
import { alertBundleOf, deviceAlertOf, emergencyOf } from '#core/clinical/alert-fhir.ts'
import { makeWatchGroup, openWatchGroup, sealAlert, unsealAlert } from '#core/clinical/watch-group.ts'
import { encodeRulePack } from '#core/clinical/rule-pack-form.ts'
import { ADULT_WARD } from '#core/clinical/packs/adult-ward.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'
import { seededRandom } from '#test/seeded-random.ts'
import { PATIENT, SIGN_SEED, START_MS, bytes32, openedAlerts, run, steady } from '#test/core/clinical/fixtures.ts'

const SIGN_KEY = p.ed25519PublicKey(SIGN_SEED)
const ALERT: Alert = {
  ...{
    gateway: bytes32(2),
    patient: PATIENT,
    sequence: 7,
    previous: bytes32(6),
    kind: 'onset',
    rule: 'saturation.red'
  },
  ...{ priority: 'medium', isTechnical: false, atMs: START_MS + 15_000, sinceMs: START_MS, vital: 'oxygenSaturation' },
  ...{ milli: 90_500, limitMilli: 91_000, scores: [{ name: 'news2', total: 3, risk: 2, missing: 125 }], person: null },
  ...{ pack: bytes32(7), order: null, state: bytes32(8) },
  evidence: [
    {
      vital: 'oxygenSaturation',
      values: [
        { atMs: START_MS, milli: 90_500, flags: 0 },
        { atMs: START_MS + 1000, milli: null, flags: 1 }
      ]
    }
  ]
}
const REFERENCES = { subject: 'Patient/1', device: 'Device/2' }

describe('alert', () => {
  it('comes back from its signed bytes with its id', () => {
    const bytes = encodeAlert(ALERT)
    expect(openAlert(p, signAlert(p, bytes, SIGN_SEED), SIGN_KEY)).to.deep.equal({ alert: ALERT, id: p.sha256(bytes) })
  })

  it('is refused by code when it is damaged or forged', async () => {
    const signed = signAlert(p, encodeAlert(ALERT), SIGN_SEED)
    const read = (bytes: Uint8Array): unknown => openAlert(nativePrimitives, bytes, SIGN_KEY)
    const { accepted } = await survivesMutations(signed, { seed: 'alert', count: 400 }, read)
    expect(accepted).to.equal(0)
    await expectCode('ALERT_SIGNATURE', () => openAlert(p, signed, bytes32(1)))
    await expectCode('ALERT_OVERSIZE', () => openAlert(p, new Uint8Array(MAX_ALERT_BYTES + 1), SIGN_KEY))
    const resigned = (change: object): Uint8Array =>
      signAlert(p, encodeCanonical({ v: 1, ...ALERT, evidence: [], ...change }), SIGN_SEED)
    await expectCode('ALERT_VERSION', () => openAlert(p, resigned({ v: 2 }), SIGN_KEY))
    for (const change of [
      { kind: 'other' },
      { vital: 'mood' },
      { milli: 2 ** 40 },
      { evidence: [['heartRate']] },
      { more: 1 }
    ]) {
      await expectCode('ALERT_SHAPE', () => openAlert(p, resigned(change), SIGN_KEY))
    }
  })

  it('stays within its bound however much there is to show', () => {
    const vitals = [
      'heartRate',
      'pulseRate',
      'respiratoryRate',
      'oxygenSaturation',
      'systolic',
      'diastolic',
      'mean',
      'temperature'
    ] as const
    const inputs = vitals.flatMap(vital => steady(vital, 0, 40, 99)).sort((a, b) => a.atMs - b.atMs)
    const alerts = openedAlerts(run(inputs).events)
    expect(alerts.length).to.be.greaterThan(0)
    for (const alert of alerts) expect(encodeAlert(alert).length).to.be.below(MAX_ALERT_BYTES - 128)
  })

  it('as FHIR is a DeviceAlert, and in R4 an observation with the issue that it implies', () => {
    const id = bytes32(1)
    expect(deviceAlertOf(ALERT, id, REFERENCES)).to.deep.include({ resourceType: 'DeviceAlert', status: 'in-progress' })
    expect(deviceAlertOf({ ...ALERT, kind: 'cleared' }, id, REFERENCES)).to.deep.include({ status: 'completed' })
    const { entry } = alertBundleOf(ALERT, id, REFERENCES) as { entry: { resource: Record<string, unknown> }[] }
    expect(entry.map(each => each.resource['resourceType'])).to.deep.equal(['Observation', 'DetectedIssue'])
    expect(entry[0]?.resource['valueQuantity']).to.deep.include({ value: 90.5, code: '%' })
    expect(entry[1]?.resource['severity']).to.equal('moderate')
    const technical = alertBundleOf({ ...ALERT, vital: null, milli: null }, id, REFERENCES) as { entry: unknown[] }
    expect(technical.entry).to.have.length(1)
  })

  it('of high priority that begins is what a standing instruction reads', () => {
    const content = emergencyOf({ ...ALERT, priority: 'high' }, bytes32(1).slice(0, 20))
    expect(content == null ? undefined : readAlarm(content)).to.deep.equal({
      ...{ severity: 'high', atMs: ALERT.atMs, crew: bytes32(1).slice(0, 20), isRetracted: false }
    })
    expect(emergencyOf(ALERT, null)).to.equal(undefined)
    expect(emergencyOf({ ...ALERT, priority: 'high', kind: 'cleared' }, null)).to.equal(undefined)
  })
})

describe('watch group', () => {
  const gateway = { id: bytes32(2), signSeed: SIGN_SEED }
  const signed = signAlert(p, encodeAlert(ALERT), SIGN_SEED)

  it('lets each member open what was sealed to it, and nobody else', async () => {
    const members = await Promise.all(
      [1, 2, 3].map(async suite => deriveKemKeyPair(suite as 1 | 2 | 3, bytes32(40 + suite)))
    )
    const { bytes, key } = await makeWatchGroup(p, seededRandom('group'), gateway, members)
    const sealed = sealAlert(p, seededRandom('alert'), key, signed)
    for (const member of members) {
      const opened = await openWatchGroup(p, bytes, SIGN_KEY, [member])
      expect(unsealAlert(p, sealed, opened)).to.deep.equal(signed)
    }
    const stranger = await deriveKemKeyPair(2, bytes32(99))
    await expectCode('WATCH_GROUP_MEMBER', async () => openWatchGroup(p, bytes, SIGN_KEY, [stranger]))
    await expectCode('WATCH_GROUP_SIGNATURE', async () => openWatchGroup(p, bytes, bytes32(1), members))
  })

  it('refuses by code what is damaged or of another group', async () => {
    const [member] = await Promise.all([deriveKemKeyPair(2, bytes32(41))])
    const { bytes, key } = await makeWatchGroup(p, seededRandom('group'), gateway, [member])
    const other = await makeWatchGroup(p, seededRandom('other'), gateway, [member])
    const sealed = sealAlert(p, seededRandom('alert'), key, signed)
    await expectCode('SEALED_ALERT_GROUP', () => unsealAlert(p, sealed, other.key))
    const readGroup = async (damaged: Uint8Array): Promise<unknown> =>
      openWatchGroup(nativePrimitives, damaged, SIGN_KEY, [member])
    const readAlert = (damaged: Uint8Array): unknown => unsealAlert(nativePrimitives, damaged, key)
    expect((await survivesMutations(bytes, { seed: 'members', count: 200 }, readGroup)).accepted).to.equal(0)
    expect((await survivesMutations(sealed, { seed: 'envelope', count: 200 }, readAlert)).accepted).to.equal(0)
  })
})

describe('vectors of alerts', () => {
  it('have the published bytes', async () => {
    const text = await readFile(new URL('../../vectors/alert.json', import.meta.url), 'utf8')
    const vector = JSON.parse(text) as Record<
      'pack' | 'alert' | 'id' | 'signed' | 'signKey' | 'secret' | 'group' | 'groupBytes' | 'kemSeed' | 'sealed',
      string
    >
    expect(toHex(p.sha256(encodeRulePack(ADULT_WARD)))).to.equal(vector.pack)
    const bytes = encodeAlert(ALERT)
    expect(toHex(bytes)).to.equal(vector.alert)
    expect(toHex(p.sha256(bytes))).to.equal(vector.id)
    expect(toHex(signAlert(p, bytes, SIGN_SEED))).to.equal(vector.signed)
    const member = await deriveKemKeyPair(2, fromHex(vector.kemSeed))
    const key = await openWatchGroup(p, fromHex(vector.groupBytes), fromHex(vector.signKey), [member])
    expect([toHex(key.secret), toHex(key.group)]).to.deep.equal([vector.secret, vector.group])
    expect(toHex(unsealAlert(p, fromHex(vector.sealed), key))).to.equal(vector.signed)
  })
})
