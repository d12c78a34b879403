/** Gas of each call of the contracts against its floor, and against what others need for the same. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { GOALS, RIVALS, unitsOf } from '#scripts/bench/gas/goals.ts'
import { renderGasTable, type GasRow } from '#scripts/bench/gas/table.ts'
import type { Bench } from '#scripts/bench/report.ts'
import { ROOT, runNode } from '#scripts/process/run.ts'

const DOCUMENT = join(ROOT, 'docs/gas.md')

/** Runs the benchmark `gas`. */
export async function run(bench: Bench): Promise<void> {
  bench.progress('running test/contracts/gas*.test.ts')
  const rows = await measure()
  for (const { name, gas, floor } of rows) {
    const goal = GOALS.find(({ row }) => row.test(name))
    const each = unitsOf(name)
    bench.figure({
      metric: name,
      samples: [gas / each],
      unit: 'gas',
      versus: { name: 'the floor', samples: [floor / each] },
      ...(goal == null ? {} : { goal: `<= ${goal.atMost}`, meets: value => value <= goal.atMost })
    })
    for (const rival of RIVALS.filter(({ row }) => row.test(name))) {
      const versus = { name: rival.name, samples: [rival.gas] }
      bench.figure({ metric: `${name}, against others`, samples: [gas / each], unit: 'gas', versus })
    }
  }
  for (const { row, what } of GOALS) {
    if (!rows.some(({ name }) => row.test(name))) bench.progress(`no row measures: ${what}`)
  }
  if (process.env['SALUS_UPDATE_GAS'] !== '1') return
  const options = { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT }
  await writeFile(DOCUMENT, await format(renderGasTable(rows), options))
}

/** The gas tests measure; told where, they leave their rows there. */
async function measure(): Promise<GasRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'salus-gas-'))
  const path = join(folder, 'rows.jsonl')
  try {
    const mocha = ['node_modules/mocha/bin/mocha.js', 'test/contracts/gas*.test.ts']
    const { code, output } = await runNode(mocha, {
      env: { HARDHAT_DISABLE_TELEMETRY: '1', SALUS_UPDATE_GAS: '', SALUS_GAS_ROWS: path }
    })
    if (code !== 0) throw new Error(output)
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    return lines.map(line => JSON.parse(line) as GasRow)
  } finally {
    await rm(folder, { recursive: true })
  }
}
