import { expect } from 'chai'
import fc from 'fast-check'
import { SEVERITIES, alarmContent, readAlarm, type Alarm } from '#core/consent/alarm.ts'
import { utf8 } from '#core/encoding/bytes.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const alarm: fc.Arbitrary<Alarm> = fc.record({
  severity: fc.constantFrom(...SEVERITIES),
  atMs: fc.integer({ min: 0, max: 8_000_000_000_000 }),
  crew: fc.option(bytes(20)),
  isRetracted: fc.boolean()
})
const of = (resource: unknown, type = 'application/fhir+json') =>
  readAlarm({ type, recordedAtMs: 0, body: utf8(JSON.stringify(resource)) })
const HIGH = {
  resourceType: 'DetectedIssue',
  status: 'final',
  severity: 'high',
  identifiedDateTime: '2026-01-01T00:00:00Z'
}
const dispatched = (...names: unknown[]) => ({
  ...HIGH,
  extension: names.map(valueString => ({ url: 'urn:salus:dispatched', valueString }))
})

describe('an alarm', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(alarm, fc.string(), (written, text) => {
        expect(readAlarm(alarmContent(written, text))).to.deep.equal(written)
      })
    )
  })

  it('is none if it is of another type, names no time, or a severity that nobody knows', () => {
    expect(of(HIGH)).to.deep.include({ severity: 'high', crew: null, isRetracted: false })
    expect(of(HIGH, 'text/plain')).to.equal(undefined)
    for (const altered of [
      { ...HIGH, resourceType: 'Flag' },
      { ...HIGH, severity: 'HIGH' },
      { ...HIGH, severity: ['high'] },
      { ...HIGH, identifiedDateTime: 'yesterday' },
      { ...HIGH, identifiedDateTime: '2026-01-01T00:00:00' },
      { ...HIGH, identifiedDateTime: '1969-01-01T00:00:00Z' },
      { ...HIGH, identifiedDateTime: 1 },
      [HIGH],
      null
    ]) {
      expect(of(altered), JSON.stringify(altered)).to.equal(undefined)
    }
  })

  it('is none if what claims to be JSON is not, is too deep or too long', () => {
    const read = (text: string) => readAlarm({ type: 'application/fhir+json', recordedAtMs: 0, body: utf8(text) })
    const good = JSON.stringify(HIGH)
    expect(read(good)).to.not.equal(undefined)
    expect(read(good.slice(0, -1))).to.equal(undefined)
    expect(read(good.replace('{', `{"x":${'['.repeat(20)}${']'.repeat(20)},`))).to.equal(undefined)
    expect(read(good.replace('{', `{"x":"${'y'.repeat(70_000)}",`))).to.equal(undefined)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), body => {
        readAlarm({ type: 'application/fhir+json', recordedAtMs: 0, body })
      })
    )
  })

  it('names a crew that nobody knows where it names none clearly', () => {
    const crew = `0x${'ab'.repeat(20)}`
    expect(of(dispatched(crew))?.crew).to.deep.equal(new Uint8Array(20).fill(0xab))
    for (const unclear of [
      dispatched(crew, crew),
      dispatched('Crew 7'),
      dispatched(7),
      dispatched(crew.toUpperCase())
    ]) {
      expect(of(unclear)?.crew).to.deep.equal(new Uint8Array(20))
    }
    expect(of({ ...HIGH, extension: 'x' })?.crew).to.equal(null)
  })
})
