import { expect } from 'chai'
import { figureLine } from '#scripts/bench/line.ts'
import { renderFigures } from '#scripts/bench/table.ts'

describe('the table of figures', () => {
  it('has a row for each line that is a figure', () => {
    const versus = { name: 'other', samples: [4] }
    const goal = { goal: 'less', meets: () => false }
    const lines = [
      'progress',
      figureLine('seal', { metric: 'a', samples: [1, 2, 3], unit: 'ms', versus, ...goal }),
      figureLine('seal', { metric: 'b', samples: [7], unit: 'B' }),
      ''
    ]
    const [, , ...rows] = renderFigures(lines.join('\n')).split('\n')
    expect(rows).to.deep.equal([
      '| a | 2 ms | 1–3 | 3 | other | 0.5 | less | **no** |',
      '| b | 7 B | 7–7 | 1 | – | – | – | – |'
    ])
  })
})
