import { expect } from 'chai'
import { instrumentConditions } from '#scripts/coverage/conditions.ts'
import { coverageOf, readLcov } from '#scripts/coverage/figures.ts'
import { parseSolidity } from '#scripts/solidity/syntax.ts'

const SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
contract A {
    // Ünicode before it: places are bytes, not characters.
    function f(uint256 a, bool b) external pure returns (uint256) {
        if (a > 1 && (b || a < 9)) return 1;
        require(a != 0, "zero");
        for (uint256 i = 0; i < a; ++i) a -= b ? 1 : 2;
        return a;
    }
}
`

describe('coverage of branches', () => {
  const { source, conditions } = instrumentConditions('A.sol', SOURCE)

  it('finds every condition and every operand of a connective, with its line', () => {
    expect(conditions.map(({ line, text }) => [line, text])).to.deep.equal([
      [6, 'a > 1'],
      [6, 'b'],
      [6, 'a < 9'],
      [7, 'a != 0'],
      [8, 'i < a'],
      [8, 'b']
    ])
  })

  it('leaves Solidity, moves no line, and gives each outcome a line of its own', () => {
    expect(() => parseSolidity('A.sol', source)).not.to.throw()
    const [before, after] = [SOURCE.split('\n'), source.split('\n')]
    for (const i of [0, 3, 8]) expect(after[i]).to.equal(before[i])
    expect(after[5]).to.contain('if (_condition0(a > 1) && (_condition1(b) || _condition2(a < 9))) return 1;')
    for (const { whenTrue, whenFalse } of conditions) {
      expect([after[whenTrue - 1]?.trim(), after[whenFalse - 1]?.trim()]).to.deep.equal([
        'holds = true;',
        'holds = false;'
      ])
    }
  })

  it('tells what was not reached in the words of the source', () => {
    const reached = conditions.flatMap(({ whenTrue, whenFalse }) => [whenTrue, whenFalse]).slice(1)
    const report = `TN:\nSF:x/A.sol\nDA:6,4\nDA:9,0\n${reached.map(line => `DA:${line},1`).join('\n')}\nend_of_record\n`
    const hits = readLcov(report).get('x/A.sol') ?? new Map<number, number>()
    expect(coverageOf({ path: 'A.sol', lines: SOURCE.split('\n'), conditions }, hits)).to.deep.equal({
      file: 'A.sol',
      lines: { hit: 1, of: 2 },
      branches: { hit: 11, of: 12 },
      gaps: [
        { file: 'A.sol', line: 6, what: 'never true', text: 'a > 1' },
        { file: 'A.sol', line: 9, what: 'line', text: 'return a;' }
      ]
    })
  })

  it('stops at what is no Solidity', () => {
    expect(() => instrumentConditions('A.sol', 'contract {')).to.throw(/Expected identifier/)
  })
})
