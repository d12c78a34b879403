import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readExplained } from '#scripts/mutate/explained.ts'
import type { Mutant } from '#scripts/mutate/mutants.ts'
import type { Verdict } from '#scripts/mutate/protocol.ts'
import { testHash, testsHash, type Source } from '#scripts/mutate/sources.ts'
import { ROOT } from '#scripts/process/run.ts'

const PATH = join(ROOT, '.cache/mutate/results.jsonl')

/** A verdict, and what it was reached with. */
interface Row extends Verdict {
  readonly source: string
  /** Hash of the test that killed, or of all tests. */
  readonly tests: string
}

/** Verdicts of earlier runs, and a place for those of this run: a run that was cut short is taken up again. */
export class Results {
  private readonly rows = new Map<string, Row>()
  private readonly firstRows = new Map<string, Row>()
  private readonly allTests = testsHash()
  private readonly explained = readExplained()

  /** Reads what earlier runs have left. */
  static async load(): Promise<Results> {
    const results = new Results()
    const text = await readFile(PATH, 'utf8').catch(() => '')
    // The last line may have been cut short with the run.
    for (const line of text.split('\n')) {
      if (!line.endsWith('}')) continue
      const row = JSON.parse(line) as Row
      results.rows.set(row.id, row)
      if (!results.firstRows.has(row.id)) results.firstRows.set(row.id, row)
    }
    return results
  }

  /** The verdict on a mutant, if neither its source nor what could change the verdict has changed since. */
  get({ id }: Mutant, { hash }: Source): Verdict | undefined {
    const row = this.rows.get(id)
    if (row?.source !== hash) return undefined
    return row.tests === this.testsOf(row) || this.maySurvive(row) ? row : undefined
  }

  /** The first verdict there ever was, whatever the tests were then. */
  first({ id }: Mutant): Verdict | undefined {
    return this.firstRows.get(id) ?? this.rows.get(id)
  }

  /** Keeps a verdict. */
  async add(verdict: Verdict, { hash }: Source): Promise<void> {
    const row: Row = { ...verdict, source: hash, tests: this.testsOf(verdict) }
    this.rows.set(row.id, row)
    await mkdir(dirname(PATH), { recursive: true })
    await appendFile(PATH, `${JSON.stringify(row)}\n`)
  }

  /** What is allowed to survive need not be tried again because of a new test: at worst that kills it by now. */
  private maySurvive({ id, outcome }: Verdict): boolean {
    return outcome === 'survived' && this.explained.has(id)
  }

  /** A killed mutant stays killed as long as its killer stays; whether code is the same is no matter of tests. */
  private testsOf({ outcome, killer = '' }: Verdict): string {
    if (outcome === 'equivalent' || outcome === 'invalid') return ''
    return outcome === 'killed' ? testHash(killer.slice(0, killer.indexOf(':'))) : this.allTests
  }
}
