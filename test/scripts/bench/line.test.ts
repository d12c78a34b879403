import { expect } from 'chai'
import { figureLine } from '#scripts/bench/line.ts'
import { runNode } from '#scripts/process/run.ts'

describe('a figure', () => {
  it('is one line with its median, range, yardstick and goal', () => {
    const line = figureLine('seal', {
      metric: 'open.1MB',
      samples: [30, 10, 20],
      unit: 'ms',
      versus: { name: 'other', samples: [40, 40] },
      goal: 'less',
      meets: (_median, ratio) => ratio != null && ratio < 1
    })
    expect(JSON.parse(line)).to.deep.equal({
      ...{ bench: 'seal', metric: 'open.1MB', value: 20, unit: 'ms', versus: 'other', ratio: 0.5 },
      ...{ n: 3, min: 10, max: 30, goal: 'less', met: true }
    })
  })

  it('has nulls where there is neither yardstick nor goal', () => {
    expect(JSON.parse(figureLine('seal', { metric: 'm', samples: [1], unit: 'B' }))).to.include({
      ...{ versus: null, ratio: null, goal: null, met: null }
    })
  })
})

describe('the command that runs benches', function () {
  this.timeout(30_000)

  it('tells what there is, with and without --json', async () => {
    const { code, output } = await runNode(['scripts/bench.ts', '--help', '--json'])
    expect([code, output.split('\n')[0]]).to.deep.equal([0, 'Usage: npm run -s bench -- NAME [--quick]'])
  })

  it('refuses a name and an option that it does not know, and says what there is', async () => {
    for (const wrong of ['sael', '--qiuck', 'seal extra']) {
      const { code, output } = await runNode(['scripts/bench.ts', ...wrong.split(' ')])
      expect(code, wrong).to.equal(2)
      expect(output).to.contain('Usage:')
    }
  })
})
