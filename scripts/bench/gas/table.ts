import { GOALS, RIVALS, unitsOf } from '#scripts/bench/gas/goals.ts'

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
    const each = gas / unitsOf(name)
    const against = RIVALS.filter(({ row }) => row.test(name)).map(
      rival => `${number((100 * each) / rival.gas)} % of ${rival.name} (${number(rival.gas)})`
    )
    const figures = `${number(each)} | ${number(floor / unitsOf(name))} | ${(gas / floor).toFixed(2)}`
    return `| ${name} | ${figures} | ${against.join(', ')} |`
  })
  const goals = GOALS.map(({ row, what, atMost }) => {
    const met = rows.find(({ name }) => row.test(name))
    if (met == null) return `| ${what} | ${number(atMost)} | not measured | |`
    const each = met.gas / unitsOf(met.name)
    return `| ${what} | ${number(atMost)} | ${number(each)} (${met.name}) | ${each <= atMost ? 'yes' : '**no**'} |`
  })
  return `# Gas

<!-- Written by SALUS_UPDATE_GAS=1 npm run -s bench -- gas; do not edit. -->

Gas by receipt, on an empty in-process chain with the Osaka rules, with the bytecode that is shipped. **Floor** is what no code with the same
interface, storage and events can save: the transaction, its data, its slots, its logs, the precompiles that check signatures. **Ratio** is gas
over floor: what lies above 1 is decoding, hashing and checks. Batches are given for each of what they hold. A function that others call
often has a name whose selector sorts low, because the compiler looks functions up in that order: some figures depend on that by 20 gas a function.

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
