import { expect } from 'chai'
import { mutantsOf, sampleOf, type Mutant } from '#scripts/mutate/mutants.ts'
import { renderReport } from '#scripts/mutate/report.ts'
import { parseSolidity } from '#scripts/solidity/syntax.ts'

const around = (body: string): string => `pragma solidity 0.8.37;
contract A {
    event E(uint256 a, uint256 b);
    error Bad();
    uint256[3] s;
    modifier restricted() { _; }
    // Ünicode before it: places are bytes, not characters.
    function f(uint256 a, uint256 b, bool c) external restricted { ${body} }
}
`
const changesIn = (body: string): string[] => {
  const base = new Set(mutantsOf('A.sol', around('')).map(({ after }) => after))
  return mutantsOf('A.sol', around(body))
    .filter(({ operator, after }) => operator !== 'drop modifier' && !base.has(after))
    .map(({ before, after }) => `${before} -> ${after}`)
}

describe('mutants', () => {
  const cases: Record<string, [string, string[]]> = {
    'swap an operator': ['a = a < b ? a : b;', ['a = a < b ? a : b -> 0']],
    'disarm a guard': [
      'if (a >= b) revert Bad();',
      ['if (a >= b) revert Bad() -> if (false) revert Bad()', 'if (a >= b) revert Bad() -> if (a > b) revert Bad()']
    ],
    'decide a branch both ways': [
      'if (c) { g(); }',
      ['if (c) { g(); } -> if (false) { g(); }', 'if (c) { g(); } -> if (true) { g(); }', 'g() -> 0']
    ],
    'drop an event, or mix its arguments up': ['emit E(a, b);', ['emit E(a, b) -> 0', 'emit E(a, b) -> emit E(b, a)']],
    'move a constant': ['return 0x0f;', ['return 0x0f -> return 0x10', 'return 0x0f -> return 0x0e']],
    'move a bound': ['return type(uint8).max;', ['return type(uint8).max -> return (type(uint8).max - 1)']],
    'turn a negation round': ['return !c;', ['return !c -> return c']],
    'leave what is hashed in its order': ['return abi.encode(a, b);', []]
  }
  for (const [what, [body, expected]] of Object.entries(cases)) {
    it(what, () => {
      const found = changesIn(body)
      for (const change of expected) expect(found).to.include(change)
      if (expected.length === 0) expect(found).to.deep.equal([])
    })
  }

  it('drop a modifier', () => {
    const dropped = mutantsOf('A.sol', around('')).filter(({ operator }) => operator === 'drop modifier')
    expect(dropped.map(({ where }) => where)).to.deep.equal(['A.f'])
    expect(dropped[0]?.source).to.contain('bool c) external  {')
  })

  it('do not touch the size of an array', () => {
    expect(mutantsOf('A.sol', around('')).map(({ source }) => source)).to.satisfy((sources: string[]) =>
      sources.every(source => source.includes('uint256[3] s;'))
    )
  })

  it('are Solidity, each in a source of its own, and keep their id when lines move', () => {
    const body = 'for (uint256 i = 0; i < a; ++i) { a += b; b = a - 1; } if (a == b && c) emit E(a, b);'
    const mutants = mutantsOf('A.sol', around(body))
    for (const { source } of mutants) expect(() => parseSolidity('A.sol', source)).not.to.throw()
    expect(new Set(mutants.map(({ source }) => source)).size).to.equal(mutants.length)
    const ids = (of: readonly Mutant[]): string[] => of.map(({ id }) => id)
    expect(new Set(ids(mutants)).size).to.equal(mutants.length)
    expect(ids(mutantsOf('A.sol', around(body).replace('contract', '\n\ncontract')))).to.deep.equal(ids(mutants))
  })

  it('are sampled by seed', () => {
    const mutants = mutantsOf('A.sol', around('a = a + b - 1; b = a * 2 / b;'))
    expect(sampleOf(mutants, 4, '1'))
      .to.deep.equal(sampleOf(mutants, 4, '1'))
      .and.to.have.length(4)
    expect(sampleOf(mutants, 4, '1')).not.to.deep.equal(sampleOf(mutants, 4, '2'))
  })

  it('are reported with what became of them, and why', () => {
    const [first, second, third] = mutantsOf('A.sol', around('a = a + b - 1;'))
    const report = renderReport(
      [
        { mutant: first!, verdict: { id: first!.id, outcome: 'killed' } },
        { mutant: second!, verdict: { id: second!.id, outcome: 'survived' } },
        { mutant: third!, verdict: { id: third!.id, outcome: 'equivalent' } }
      ],
      new Map([[second!.id, 'Because.']])
    )
    expect(report).to.contain('| A.sol | 2 | 1 | 1 | 0 | 0 |').and.to.contain('Because.')
  })

  it('are judged by a sample only when it was tried to the end', () => {
    const tried = mutantsOf('A.sol', around('a = a + b - 1;')).map(mutant => ({
      mutant,
      verdict: { id: mutant.id, outcome: 'killed' as const }
    }))
    const survived = tried.map(({ mutant, verdict }) => ({
      mutant,
      verdict: { ...verdict, outcome: 'survived' as const }
    }))
    const sample = { seed: '7', tried, found: [...tried.slice(1), ...survived.slice(0, 1)] }
    const share = ((100 * (tried.length - 1)) / tried.length).toFixed(1)
    expect(renderReport(tried, new Map(), sample))
      .to.contain(`${String(tried.length)} mutants. When each was first tried, the tests killed ${share} %`)
      .and.to.contain(`now ${String(tried.length)} are killed and 0 explained`)
    const unfinished = [{ mutant: tried[0]!.mutant, verdict: undefined }, ...tried.slice(1)]
    expect(renderReport(tried, new Map(), { ...sample, tried: unfinished })).to.contain('1 are missing')
  })
})
