import { GOALS, RIVALS } from '#scripts/bench/gas/goals.ts'

/** One measured call. */
export interface GasRow {
  readonly name: string
  readonly gas: number
  readonly floor: number
}

/** docs/gas.md. */
export function renderGasTable(rows: readonly GasRow[]): string {
  const number = (value: number): string => Math.round(value).toLocaleString('en-US')
  const calls = rows.map(({ name, gas, floor }) => {
    const rival = RIVALS.find(({ row }) => row.test(name))
    const against = rival == null ? '' : `${number((100 * gas) / rival.gas)} % of ${rival.name} (${number(rival.gas)})`
    return `| ${name} | ${number(gas)} | ${number(floor)} | ${(gas / floor).toFixed(2)} | ${against} |`
  })
  const goals = GOALS.map(({ row, what, atMost, of = 1 }) => {
    const met = rows.find(({ name }) => row.test(name))
    if (met == null) return `| ${what} | ${number(atMost)} | not measured | |`
    const each = met.gas / of
    return `| ${what} | ${number(atMost)} | ${number(each)} (${met.name}) | ${each <= atMost ? 'yes' : '**no**'} |`
  })
  return `# Gas

<!-- Written by SALUS_UPDATE_GAS=1 npm run -s bench -- gas; do not edit. -->

Gas by receipt, on an empty in-process chain with the Osaka rules, with the bytecode that is shipped. **Floor** is what no code with the same
interface, storage and events can save: the transaction, its data, its slots, its logs, the precompiles that check signatures. **Ratio** is gas
over floor: what lies above 1 is decoding, hashing and checks.

## Goals

| Call | At most | Measured | Met |
| --- | ---: | ---: | --- |
${goals.join('\n')}

## Calls

| Call | Gas | Floor | Ratio | Elsewhere |
| --- | ---: | ---: | ---: | --- |
${calls.join('\n')}
`
}
