import { expect } from 'chai'
import fc from 'fast-check'
import { alertChanges, alertsOf, backupStateOf, LOW_DISK_BYTES } from '#node/metrics/alerts.ts'
import { createCounter, createHistogram, gauge } from '#node/metrics/families.ts'
import { createHttpMetrics } from '#node/metrics/http-metrics.ts'
import { writeOpenMetrics } from '#node/metrics/open-metrics.ts'
import { createProcessMetrics } from '#node/metrics/process-metrics.ts'
import { parseOpenMetrics } from '#test/node/metrics/parse-open-metrics.ts'

describe('metrics', () => {
  it('are written as OpenMetrics, whatever labels and help say', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.double(), (help, value, number) => {
        const text = writeOpenMetrics([gauge({ name: 'a_gauge', help }, number, { label: value })])
        const [sample] = parseOpenMetrics(text).get('a_gauge')?.samples ?? []
        expect(sample?.labels).to.deep.equal({ label: value })
        expect(sample?.value).to.deep.equal(number + 0)
      })
    )
  })

  it('count with few series, however many names come', () => {
    const counter = createCounter({ name: 'c', help: 'C.' }, ['name'])
    for (let i = 0; i < 10_000; i++) counter.add({ name: `n${i}` })
    const { samples } = parseOpenMetrics(writeOpenMetrics([counter.read()])).get('c') ?? { samples: [] }
    expect(samples).to.have.length(257)
    expect(samples.find(({ labels }) => labels['name'] === 'other')?.value).to.equal(10_000 - 256)
    expect(samples.reduce((sum, { value }) => sum + value, 0)).to.equal(10_000)
  })

  it('are zero before anything was counted', () => {
    expect(createCounter({ name: 'c', help: 'C.' }).read().samples).to.deep.equal([
      { suffix: '_total', labels: {}, value: 0 }
    ])
  })

  it('sort what they observe into buckets that add up', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 20, noNaN: true })), values => {
        const histogram = createHistogram({ name: 'h', help: 'H.' }, [0.5, 1, 10])
        for (const value of values) histogram.observe(value)
        const { samples } = parseOpenMetrics(writeOpenMetrics([histogram.read()])).get('h') ?? { samples: [] }
        if (values.length === 0) return
        const at = (le: string): number | undefined => samples.find(({ labels }) => labels['le'] === le)?.value
        for (const [le, bound] of [
          ['0.5', 0.5],
          ['1.0', 1],
          ['10.0', 10],
          ['+Inf', Infinity]
        ] as const) {
          expect(at(le)).to.equal(values.filter(value => value <= bound).length)
        }
        expect(samples.find(({ name }) => name === 'h_count')?.value).to.equal(values.length)
      })
    )
  })

  it('name routes and known methods only', () => {
    let nowMs = 0
    const http = createHttpMetrics(() => nowMs)
    const answered = http.begin()
    nowMs = 30
    expect(
      parseOpenMetrics(writeOpenMetrics(http.read())).get('salus_http_requests_in_flight')?.samples[0]?.value
    ).to.equal(1)
    answered({ method: 'BREW', route: '/v1/grants/:id', status: 404 })
    const families = parseOpenMetrics(writeOpenMetrics(http.read()))
    expect(families.get('salus_http_requests')?.samples).to.deep.equal([
      {
        name: 'salus_http_requests_total',
        labels: { method: 'other', route: '/v1/grants/:id', status: '404' },
        value: 1
      }
    ])
    const buckets = families.get('salus_http_request_duration_seconds')?.samples ?? []
    expect(buckets.find(({ labels }) => labels['le'] === '0.025')?.value).to.equal(0)
    expect(buckets.find(({ labels }) => labels['le'] === '0.05')?.value).to.equal(1)
  })

  it('tell how the process is', () => {
    const metrics = createProcessMetrics('1.2.3')
    metrics.start()
    const families = parseOpenMetrics(writeOpenMetrics(metrics.read()))
    metrics.stop()
    expect(families.get('salus_process_resident_memory_bytes')?.samples[0]?.value).to.be.above(1e6)
    expect(families.get('salus_build')?.samples[0]?.labels).to.include({ version: '1.2.3' })
  })

  it('become alerts that come and go', () => {
    const well = {
      chainState: 'following',
      peers: 1,
      expectsPeers: true,
      disk: { state: 'ok' },
      damagedBlocks: 0,
      backup: 'good',
      distrusted: 0,
      diskFreeBytes: LOW_DISK_BYTES,
      relayer: 'good'
    } as const
    expect(alertsOf(well)).to.deep.equal([])
    const bad = {
      chainState: 'waiting',
      peers: 0,
      expectsPeers: true,
      disk: { state: 'ok' },
      damagedBlocks: 0,
      backup: 'good',
      distrusted: 0,
      diskFreeBytes: 1,
      relayer: 'empty'
    } as const
    const codes = ['CHAIN_AWAY', 'PEERS_NONE', 'DISK_LOW', 'RELAYER_EMPTY']
    expect(alertsOf(bad)).to.deep.equal(codes)
    expect(alertsOf({ ...bad, expectsPeers: false, diskFreeBytes: undefined, relayer: 'low' })).to.deep.equal([
      'CHAIN_AWAY',
      'RELAYER_LOW'
    ])
    for (const [disk, code] of [
      [{ state: 'full' }, 'DISK_FULL'],
      [{ state: 'failed', failure: 'room' }, 'DISK_FULL'],
      [{ state: 'failed', failure: 'error' }, 'STORE_FAILED']
    ] as const) {
      expect(alertsOf({ ...well, disk })).to.deep.equal([code])
    }
    expect(alertsOf({ ...well, damagedBlocks: 1 })).to.deep.equal(['BLOCKS_DAMAGED'])
    expect(alertsOf({ ...well, backup: 'failed' })).to.deep.equal(['BACKUP_FAILED'])
    expect(alertsOf({ ...well, backup: 'old' })).to.deep.equal(['BACKUP_OLD'])
    expect(alertChanges([], alertsOf(bad)).map(({ active }) => active)).to.deep.equal([true, true, true, true])
    expect(alertChanges(alertsOf(bad), [])).to.deep.equal(codes.map(code => ({ code, active: false })))
  })

  it('know old backups from failed ones, and from none that were asked for', () => {
    const at = { startedMs: 1_000, nowMs: 2_000 }
    expect(backupStateOf(undefined, 10, at)).to.equal('none')
    expect(backupStateOf({}, undefined, at)).to.equal('none')
    expect(backupStateOf({}, 2_000, at)).to.equal('none')
    expect(backupStateOf({}, 999, at)).to.equal('old')
    expect(backupStateOf({ lastMs: 1_001 }, 999, at)).to.equal('good')
    expect(backupStateOf({ lastMs: 1_000 }, 999, at)).to.equal('old')
    expect(backupStateOf({ lastMs: 1 }, undefined, at)).to.equal('good')
    expect(backupStateOf({ lastMs: 1_999, failure: 'SNAPSHOT_FULL' }, 999, at)).to.equal('failed')
  })
})
