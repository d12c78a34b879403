import { expect } from 'chai'
import { figureLine } from '#scripts/bench/line.ts'
import type { Bench, Figure } from '#scripts/bench/report.ts'

/** A bench whose figures a test looks at; each must come out as a whole line. */
export interface CollectedBench extends Bench {
  readonly figures: Figure[]
  /** The figure of a metric; with a yardstick of that name where one is given. */
  of(metric: string, versus?: string): Figure
}

/** A bench that prints nothing. */
export function collectedBench(): CollectedBench {
  const figures: Figure[] = []
  return {
    quick: true,
    figures,
    figure(figure) {
      const line = JSON.parse(figureLine('test', figure)) as Record<string, unknown>
      for (const field of ['value', 'min', 'max']) expect(line[field], `${figure.metric} ${field}`).to.be.a('number')
      if (figure.versus != null) expect(line['ratio'], figure.metric).to.be.a('number')
      figures.push(figure)
    },
    progress: () => undefined,
    of(metric, versus) {
      const found = figures.find(each => each.metric === metric && (versus == null || each.versus?.name === versus))
      if (found == null) throw new Error(`no figure ${metric} among ${figures.map(each => each.metric).join(' ')}`)
      return found
    }
  }
}
