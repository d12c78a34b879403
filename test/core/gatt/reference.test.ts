import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeCharacteristic } from '#core/gatt/decode.ts'
import type { Measurement } from '#core/gatt/measured.ts'
import { referenceData } from '#test/reference-data.ts'

interface Expected {
  readonly hr?: number
  readonly rr?: readonly number[]
  readonly rr_s?: readonly number[]
  readonly energy_kJ?: number
  readonly contact?: string
  readonly spo2?: number | null
  readonly pr?: number | null
  readonly sys?: number | null
  readonly dia?: number | null
  readonly map?: number | null
  readonly temp?: number | null
  readonly unit?: string
  readonly time?: string
}

const MDC = { hr: 147842, spo2: 150456, sys: 150021, dia: 150022, map: 150023, temp: 150364 }
const RR = 147240
const UCUM: Readonly<Record<string, string>> = { mmHg: 'mm[Hg]', kPa: 'kPa', C: 'Cel', F: '[degF]' }

describe('decoders of GATT characteristics, on the reference data', () => {
  it('read all 18 vectors', async function () {
    const directory = referenceData(this, 'gateway/ble')
    const { vectors } = JSON.parse(await readFile(join(directory, 'gatt_vectors.json'), 'utf8')) as {
      vectors: { uuid: string; hex: string; expect: Expected }[]
    }
    expect(vectors).to.have.length(18)
    for (const { uuid, hex, expect: wanted } of vectors) {
      expectSays(decodeCharacteristic(uuid, fromHex(hex)), wanted, `${uuid} ${hex}`)
    }
  })

  it('read every message of the replays', async function () {
    const directory = referenceData(this, 'gateway/ble')
    const names = (await readdir(directory)).filter(name => name.endsWith('.ndjson'))
    expect(names).to.have.length(12)
    let messages = 0
    for (const name of names) {
      for (const line of (await readFile(join(directory, name), 'utf8')).trim().split('\n')) {
        const { uuid, hex, ...wanted } = JSON.parse(line) as Expected & { uuid: string | null; hex: string }
        if (uuid == null) continue
        expectSays(decodeCharacteristic(uuid, fromHex(hex)), wanted, `${name} ${hex}`)
        messages++
      }
    }
    expect(messages).to.be.greaterThan(6000)
  })
})

/** The measurement says exactly what is wanted; intervals as exactly as the replays give them. */
function expectSays({ values, deviceTimeMs }: Measurement, wanted: Expected, what: string): void {
  const valueOf = (mdc: number): number | null | undefined => {
    const found = values.find(each => each.metric.mdc === mdc)
    if (found == null) return undefined
    return found.mantissa == null ? null : Number(`${String(found.mantissa)}e${String(found.exponent)}`)
  }
  for (const [name, mdc] of Object.entries(MDC)) {
    const value = wanted[name as keyof typeof MDC]
    const isOff = name === 'hr' && wanted.contact === 'not detected'
    if (value !== undefined) expect(valueOf(mdc), `${what} ${name}`).to.equal(isOff ? null : value)
  }
  if (wanted.pr != null) expect(valueOf(149530) ?? valueOf(149546), what).to.equal(wanted.pr)
  if (wanted.unit != null) expect(values[0]?.metric.ucum, what).to.equal(UCUM[wanted.unit])
  if (wanted.energy_kJ != null) expect(valueOf(0), what).to.equal(wanted.energy_kJ)
  if (wanted.time != null) expect(new Date(deviceTimeMs ?? 0).toISOString(), what).to.equal(`${wanted.time}.000Z`)
  const intervals = values.filter(each => each.metric.mdc === RR).map(each => (each.mantissa ?? 0) / 1024)
  const wantedIntervals = wanted.rr_s ?? wanted.rr
  if (wantedIntervals == null) return
  expect(intervals, what).to.have.length(wantedIntervals.length)
  for (const [i, seconds] of wantedIntervals.entries()) {
    expect(Math.abs((intervals[i] ?? 0) - seconds), what).to.be.at.most(1 / 2048 + 0.00005)
  }
}
