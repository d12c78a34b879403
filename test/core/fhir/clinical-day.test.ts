import { expect } from 'chai'
import { clinicalDay, spanOfDate } from '#core/fhir/clinical-day.ts'

const TODAY = 20_000

describe('the day of a resource', () => {
  it('is the day that it tells of, in UTC', () => {
    expect(clinicalDay({ effectiveDateTime: '1999-07-02' }, TODAY)).to.equal(10_774)
    expect(clinicalDay({ effectiveDateTime: '1999-07-02T23:30:00-05:00' }, TODAY)).to.equal(10_775)
    expect(clinicalDay({ performedPeriod: { start: '1999-07-02', end: '2000-01-01' } }, TODAY)).to.equal(10_774)
    expect(clinicalDay({ onsetDateTime: '1999' }, TODAY)).to.equal(10_592)
    expect(clinicalDay({ effectiveDateTime: '1999-07-02', issued: '2005-01-01T00:00:00Z' }, TODAY)).to.equal(10_774)
  })

  it('is today where there is none, or one that the record cannot name', () => {
    expect(clinicalDay({}, TODAY)).to.equal(TODAY)
    expect(clinicalDay({ effectiveDateTime: 'yesterday' }, TODAY)).to.equal(TODAY)
    expect(clinicalDay({ effectiveDateTime: '2999-01-01' }, TODAY)).to.equal(TODAY)
    expect(clinicalDay({ onsetDateTime: '1950-01-01' }, TODAY)).to.equal(0)
  })

  it('takes partial dates as spans and refuses what is no date', () => {
    const iso = (text: string): string[] | undefined => {
      const span = spanOfDate(text)
      return span == null ? undefined : [new Date(span.fromMs).toISOString(), new Date(span.toMs).toISOString()]
    }
    expect(iso('2024')).to.deep.equal(['2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'])
    expect(iso('2024-02')).to.deep.equal(['2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'])
    expect(iso('2024-12-31')).to.deep.equal(['2024-12-31T00:00:00.000Z', '2025-01-01T00:00:00.000Z'])
    expect(iso('2024-02-29T10:00+01:00')).to.deep.equal(['2024-02-29T09:00:00.000Z', '2024-02-29T09:01:00.000Z'])
    expect(iso('2024-02-29T10:00:05.123Z')).to.deep.equal(['2024-02-29T10:00:05.000Z', '2024-02-29T10:00:06.000Z'])
    for (const bad of [
      '2023-02-29',
      '2024-13',
      '2024-00',
      '0001',
      '24',
      '2024-01-01T24:00:00Z',
      '2024-01-01T10Z',
      ''
    ]) {
      expect(iso(bad), bad).to.equal(undefined)
    }
  })
})
