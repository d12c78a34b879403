import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { detectBeats } from '#core/signal/beats/detect.ts'
import { judgeAlarm, JUDGED_SECONDS, type AlarmVerdict, type ArrhythmiaAlarm } from '#core/signal/beats/judge.ts'
import { compareBeats, learnUsualBeat, qualityOf } from '#core/signal/beats/rhythm.ts'
import { parseAnnotations } from '#core/signal/wfdb/annotations.ts'
import { openRecordedFile } from '#gateway/adapters/files/open.ts'
import { referenceData } from '#test/reference-data.ts'

const LEARNT_SECONDS = 60
const RECORDS = ['100', '101', '105', '106', '118', '119', '200', '203', '208', '217']

interface Channel {
  readonly label: string
  readonly hertz: number
  readonly samples: number[]
}

async function load(path: string): Promise<Channel[]> {
  const channels = new Map<string, Channel>()
  const file = await openRecordedFile(path, 360)
  for await (const moment of file.moments(0)) {
    for (const { channel, samples } of moment.samples) {
      const { label, rate } = channel
      const known = channels.get(label) ?? { label, hertz: (1000 * rate.samples) / rate.ms, samples: [] }
      channels.set(label, known)
      for (const sample of samples) known.samples.push(sample)
    }
  }
  await file.close()
  return [...channels.values()].filter(channel => channel.label !== 'RESP')
}

const kindOf = (label: string): 'pulse' | 'ecg' => (/^(PLETH|ABP)$/.test(label) ? 'pulse' : 'ecg')

/** Judges an alarm at a time, every channel's usual beat learnt from the minute before. `stopped` takes the last seconds away. */
function judgeAt(channels: readonly Channel[], alarm: ArrhythmiaAlarm, seconds: number, stopped = 0): AlarmVerdict {
  return judgeAlarm(
    alarm,
    channels.map(({ label, hertz, samples }) => {
      const part = (from: number, to: number): number[] =>
        samples.slice(Math.floor(from * hertz), Math.floor(to * hertz))
      const begin = seconds - JUDGED_SECONDS
      const now = part(begin, seconds)
      const last = Math.floor((JUDGED_SECONDS - stopped) * hertz)
      const held = now.map((sample, i) => (i < last ? sample : (now[last] ?? 0)))
      return { label, usual: learnUsualBeat(part(begin - LEARNT_SECONDS, begin), hertz, kindOf(label)), samples: held }
    })
  )
}

/** How many of the annotated beats were found, and how many found ones are none, within 150 ms. */
function compare(
  annotated: readonly number[],
  found: readonly number[],
  within: number
): { missed: number; extra: number } {
  let [i, j, hits] = [0, 0, 0]
  while (i < annotated.length && j < found.length) {
    const distance = (found[j] ?? 0) - (annotated[i] ?? 0)
    if (Math.abs(distance) <= within) {
      hits++
      i++
      j++
    } else if (distance < 0) j++
    else i++
  }
  return { missed: annotated.length - hits, extra: found.length - hits }
}

describe('beats of the reference data', () => {
  it('are found in ten records: sensitivity and precision above 99 %', async function () {
    const folder = referenceData(this, 'gateway/mitbih')
    let [beats, missed, extra] = [0, 0, 0]
    for (const name of RECORDS) {
      const [lead] = await load(join(folder, `${name}.hea`))
      const annotated = parseAnnotations(await readFile(join(folder, `${name}.atr`))).flatMap(a =>
        a.beat == null ? [] : [a.sample]
      )
      const found = compare(annotated, detectBeats(Float64Array.from(lead!.samples), 360, 'ecg').at, 54)
      beats += annotated.length
      missed += found.missed
      extra += found.extra
    }
    expect(beats).to.be.greaterThan(20_000)
    expect(missed / beats).to.be.lessThan(0.01)
    expect(extra / beats).to.be.lessThan(0.01)
  })

  it('look less and less as usual the louder the noise is', async function () {
    const folder = referenceData(this, 'gateway/heartpy/5_noisy_ECG')
    const qualities: number[] = []
    const [clean] = await load(join(folder, '118e24.csv'))
    const usual = learnUsualBeat(clean!.samples, 360, 'ecg')!
    for (const name of ['118e24', '118e12', '118e06', '118e00']) {
      const [lead] = await load(join(folder, `${name}.csv`))
      qualities.push(qualityOf(compareBeats(lead!.samples, usual)))
    }
    console.log(`      quality at 24, 12, 6 and 0 dB: ${qualities.join(', ')} %`)
    for (const [i, quality] of qualities.entries()) expect(quality).to.be.at.most(qualities[i - 1] ?? 100)
    expect(qualities[0]).to.be.greaterThan(80)
  })

  it('call both labelled false alarms false', async function () {
    const folder = referenceData(this, 'gateway/wfdb_samples')
    expect(judgeAt(await load(join(folder, 'a103l.hea')), 'asystole', 300).isFalse).to.equal(true)
    expect(judgeAt(await load(join(folder, 'v102s.hea')), 'ventricularTachycardia', 300).isFalse).to.equal(true)
  })

  it('leave every annotated ventricular tachycardia, 0.3 to 5 seconds after its fifth beat', async function () {
    const folder = referenceData(this, 'gateway/mitbih')
    let judged = 0
    for (const name of RECORDS) {
      const run: number[] = []
      const alarms: number[] = []
      for (const { beat, sample } of parseAnnotations(await readFile(join(folder, `${name}.atr`)))) {
        if (beat == null) continue
        if (beat === 'V') run.push(sample / 360)
        else run.length = 0
        const five = run.slice(-5)
        const [first = 0, last = 0] = [five[0], five[4]]
        if (five.length === 5 && last - first < 2.4 && last - (alarms.at(-1) ?? 0) > 3) alarms.push(last)
      }
      if (alarms.length === 0) continue
      const channels = await load(join(folder, `${name}.hea`))
      for (const alarm of alarms) {
        for (const after of [0.3, 2, 5]) {
          expect(
            judgeAt(channels, 'ventricularTachycardia', alarm + after).isFalse,
            `${name} ${String(alarm)}`
          ).to.equal(false)
          judged++
        }
      }
    }
    expect(judged).to.be.at.least(6)
  })

  it('leave an asystole that is made by taking the last seconds of each channel away', async function () {
    const folder = referenceData(this, 'gateway')
    for (const path of [
      'wfdb_samples/a103l.hea',
      'wfdb_samples/v102s.hea',
      'bidmc/bidmc_01_Signals.csv.gz',
      'bidmc/bidmc_05_Signals.csv.gz'
    ]) {
      const channels = await load(join(folder, path))
      for (const seconds of [100, 150, 200, 250]) {
        expect(judgeAt(channels, 'asystole', seconds, 4).isFalse, `${path} ${String(seconds)}`).to.equal(false)
      }
    }
  })
})
