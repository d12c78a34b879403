import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { physicalValue } from '#core/signal/segment.ts'
import { MISSING_SAMPLE } from '#core/signal/wfdb/samples.ts'
import { openRecordedFile, openRecording } from '#gateway/adapters/files/open.ts'
import type { Moment, RecordedFile } from '#gateway/adapters/files/recorded.ts'
import { itConforms, takeArrivals, type AdapterUnderTest } from '#test/gateway/adapters/conformance.ts'
import { asBytes, edfHeader, recordingFolder, writeEdf, writeWfdb } from '#test/gateway/adapters/made-up.ts'
import { expectCode } from '#test/error-code.ts'

const INIT = { device: 'monitor', speed: Infinity }
const NUMERICS = `Time [s], HR, SpO2\n${Array.from({ length: 12 }, (_, i) => `${String(i)},${String(60 + i)},NaN\n`).join('')}`
const STAY =
  'Time,Parameter,Value\n00:00,RecordID,1\n00:07,HR,73\n00:07,Temp,36.6\n01:10,HR,-1\n01:10,FiO2,0.5\n01:30,NISysABP,120\n'
const COLUMN = Array.from({ length: 250 }, (_, i) => `${String(i % 50)}\n`).join('')

let now = 1_700_000_000_000
const clock = (): number => now++

describe('recordings as sensors', () => {
  let folder: string

  beforeEach(async () => (folder = await recordingFolder()))
  afterEach(async () => rm(folder, { recursive: true }))

  async function write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }

  const FORMS: Readonly<Record<string, readonly [() => Promise<string>, number]>> = {
    'a WFDB record': [async () => writeWfdb(folder), 10],
    'an EDF+ recording': [async () => writeEdf(folder), 10],
    'monitor numerics': [async () => write('n.csv', NUMERICS), 12],
    'a stay': [async () => write('s.txt', STAY), 3],
    'a column of samples': [async () => write('c.csv', COLUMN), 5],
    'gzipped samples': [async () => write('c.csv.gz', gzipSync(COLUMN)), 5]
  }
  for (const [name, [make, arrivals]] of Object.entries(FORMS)) {
    describe(name, () => {
      itConforms(async (): Promise<AdapterUnderTest> => {
        return { adapter: openRecording({ clock }, await make(), { ...INIT, hertz: 50 }), arrivals }
      })
    })
  }

  it('keep to the speed that they are told, by the clock that they are given', async () => {
    const adapter = openRecording({ clock: () => Date.now() }, await write('n.csv', NUMERICS), {
      device: 'm',
      speed: 100
    })
    await adapter.open()
    const taken = await takeArrivals(adapter, {})
    await adapter.close()
    expect((taken.at(-1)?.receivedAtMs ?? 0) - (taken[0]?.receivedAtMs ?? 0)).to.be.at.least(100)
  })

  it('leave a hole in the numbers where samples are missing', async () => {
    const path = await write('h.csv', '1\n2\nNaN\nNaN\n5\n6\n7\n8\n9\n10\n')
    const adapter = openRecording({ clock }, path, { ...INIT, hertz: 5 })
    await adapter.open()
    const segments = (await takeArrivals(adapter, {})).flatMap(arrival => arrival.segments ?? [])
    await adapter.close()
    expect(segments.map(({ sequence, deviceTimeMs, samples }) => [sequence, deviceTimeMs, samples])).to.deep.equal([
      [0, 0, [1, 2]],
      [4, 800, [5]],
      [5, 1000, [6, 7, 8, 9, 10]]
    ])
  })

  it('send nothing that would name a person: comments and identification are not read', async () => {
    for (const path of [await writeWfdb(folder), await writeEdf(folder)]) {
      const adapter = openRecording({ clock }, path, INIT)
      await adapter.open()
      const text = JSON.stringify(await takeArrivals(adapter, {}))
      await adapter.close()
      expect(text).to.not.match(/somebody|Startdate/)
    }
  })

  it('read several samples a frame, each channel at its own rate and scale', async () => {
    const [moment] = await momentsOf(await writeWfdb(folder))
    const [lead, pressure] = moment?.samples ?? []
    expect([lead?.channel.rate, pressure?.channel.rate]).to.deep.equal([
      { samples: 1, ms: 10 },
      { samples: 1, ms: 20 }
    ])
    expect([...(lead?.samples ?? [])].slice(0, 4)).to.deep.equal([0, 200, 1, 199])
    expect(physicalValue(25, pressure!.channel.scale)).to.equal(100)
    expect([lead?.channel.metric.mdc, pressure?.channel.metric.ucum]).to.deep.equal([131330, 'mm[Hg]'])
  })

  it('put a skewed signal right', async () => {
    await write('k.dat', asBytes([1, 90, 2, 91, 3, 92, 4, 93, 5, 94], 2))
    const path = await write('k.hea', 'k 2 2 5\nk.dat 16 200 16 0 0 0 0 A\nk.dat 16:2 200 16 0 0 0 0 B\n')
    const [first, second, third] = await momentsOf(path)
    expect([first, second, third].map(m => m?.samples.map(s => [...s.samples]))).to.deep.equal([
      [
        [1, 2],
        [92, 93]
      ],
      [
        [3, 4],
        [94, MISSING_SAMPLE]
      ],
      [[5], [MISSING_SAMPLE]]
    ])
  })

  it('read each form of samples alike, and its value for "not measured"', async () => {
    for (const [format, bytes] of [
      [16, asBytes([7, -8, -32768], 2)],
      [24, asBytes([7, -8, -8388608], 3)],
      [80, asBytes([135, 120, 0], 1)]
    ] as const) {
      await write('f.dat', bytes)
      const [moment] = await momentsOf(await write('f.hea', `f 1 3 3\nf.dat ${String(format)} 200 16 0 0 0 0 A\n`))
      expect([...(moment?.samples[0]?.samples ?? [])], String(format)).to.deep.equal([7, -8, MISSING_SAMPLE])
    }
  })

  it('report gaps, missing segments and files that were cut off, and go on', async () => {
    await write('a.dat', asBytes([1, 2, 3, 4], 2))
    await write('a.hea', 'a 1 2 4\na.dat 16 200 16 0 0 0 0 II\n')
    await write('b.dat', asBytes([5, 6], 2))
    await write('b.hea', 'b 1 2 4\nb.dat 16 200 16 0 0 0 0 II\n')
    const path = await write('m.hea', 'm/4 1 2 16\na 4\n~ 4\nnone 4\nb 4\n')
    const file = await openRecordedFile(path, null)
    const moments = await collect(file)
    expect(moments.flatMap(m => m.samples.flatMap(s => [...s.samples]))).to.deep.equal([1, 2, 3, 4, 5, 6])
    expect(moments.map(m => m.timeMs)).to.deep.equal([0, 1000, 6000])
    expect(file.gaps).to.deep.equal([
      { fromMs: 2000, toMs: 4000, reason: 'gap' },
      { fromMs: 4000, toMs: 6000, reason: 'missing' },
      { fromMs: 7000, toMs: 8000, reason: 'missing' }
    ])
  })

  it('never take more of a record into memory than a moment, whatever rate its header claims', async () => {
    await write('q.dat', new Uint8Array(4_000_000))
    const path = await write('q.hea', 'q 1 1000000 900000000000\nq.dat 16x1000 200 16 0 0 0 0 II\n')
    const moments = await momentsOf(path)
    expect(moments.length).to.equal(2)
    for (const moment of moments) expect(moment.samples[0]?.samples.length).to.be.at.most(2 ** 20)
  })

  it('tell numerics from waveforms by their rate, and −32768 from a value', async () => {
    await write('n.dat', asBytes([800, -32768, 0, 970], 2))
    const path = await write(
      'n.hea',
      'n 2 0.0166666666667/125 2\nn.dat 16 10/bpm 16 0 0 0 0 HR\nn.dat 16 10/% 16 0 0 0 0 SpO2\n'
    )
    const moments = await momentsOf(path)
    expect(moments.map(m => [m.timeMs, m.values.map(v => [v.metric.mdc, v.mantissa, v.exponent])])).to.deep.equal([
      [
        0,
        [
          [147842, 800, -1],
          [150456, null, -1]
        ]
      ],
      [
        60_000,
        [
          [147842, 0, -1],
          [150456, 970, -1]
        ]
      ]
    ])
  })

  it('read EDF+ that lies apart with the holes in its numbers', async () => {
    const path = await writeEdf(folder, [0, 1, 5, 6])
    const file = await openRecordedFile(path, null)
    const moments = await collect(file)
    expect(moments.map(m => [m.timeMs, m.samples[0]?.first])).to.deep.equal([
      [0, 0],
      [1000, 20],
      [5000, 100],
      [6000, 120]
    ])
    expect(file.gaps).to.deep.equal([{ fromMs: 2000, toMs: 5000, reason: 'apart' }])
  })

  it('read 24 bits of BDF', async () => {
    const header = edfHeader([{ label: 'A1', samples: 2 }], { records: 1, seconds: 1, bdf: true })
    const [moment] = await momentsOf(
      await write('b.bdf', Uint8Array.from([...header, ...asBytes([-8388607, 70000], 3)]))
    )
    expect([...(moment?.samples[0]?.samples ?? [])]).to.deep.equal([-8388607, 70000])
  })

  it('refuse what is damaged by its code', async () => {
    const edf = edfHeader([{ label: 'A', samples: 1 }], { records: 1, seconds: 1 })
    const cases: [string, string, string | Uint8Array][] = [
      ['RECORDING_FORM', 'x.bin', Uint8Array.of(1, 2, 3, 10)],
      ['RECORDING_FORM', 'x.csv', ''],
      ['WFDB_HEADER', 'x.hea', 'x 1'],
      // Five minutes of backtracking, if it were looked at.
      ['WFDB_HEADER', 'x.hea', `x 1${' '.repeat(500_000)}x\rb\rc`],
      ['WFDB_HEADER', 'x.hea', 'x 2 250 10\nx.dat 16\n'],
      ['WFDB_HEADER', 'x.hea', 'x 1 250 10\nx.dat 16 zero\n'],
      ['WFDB_NAME', 'x.hea', 'x 1 250 10\n../x.dat 16\n'],
      ['WFDB_NAME', 'x.hea', 'x/1 1 250 10\n/etc/passwd 10\n'],
      ['EDF_HEADER', 'x.edf', edf.subarray(0, 300)],
      ['EDF_HEADER', 'x.edf', edf.map((byte, i) => (i === 252 ? 0x39 : byte))],
      ['EDF_TRAILING', 'x.edf', Uint8Array.from([...edf, 0, 0, 0])],
      ['SIGNAL_RATE', 'x.csv', '1\n2\n'],
      ['SIGNAL_TEXT', 'x.csv.gz', 'not gzip'],
      ['STAY_MALFORMED', 'x.txt', 'Time,Parameter,Value\n00:07,HR,x\n']
    ]
    for (const [code, name, content] of cases) {
      const path = await write(name, content)
      await expectCode(code, async () => openRecordedFile(path, null))
    }
    await write('x.dat', new Uint8Array(20))
    const unknown = await write('x.hea', 'x 1 250 10\nx.dat 8 200 16 0 0 0 0 A\n')
    await expectCode('WFDB_FORMAT', async () => momentsOf(unknown))
    await expectCode('RECORDING_MISSING', async () => openRecordedFile(join(folder, 'none'), null))
    await expectCode('RECORDING_MISSING', async () => openRecordedFile(join(folder, 'none.hea'), null))
  })
})

async function momentsOf(path: string): Promise<Moment[]> {
  return collect(await openRecordedFile(path, null))
}

async function collect(file: RecordedFile): Promise<Moment[]> {
  const moments: Moment[] = []
  try {
    for await (const moment of file.moments(0)) moments.push(moment)
  } finally {
    await file.close()
  }
  return moments
}
