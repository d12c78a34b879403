import { expect } from 'chai'
import { Contract, ContractFactory, type Signer } from 'ethers'
import { compileContracts } from '#scripts/generate/compile.ts'
import { mixtureOf } from '#scripts/mutate/mixture.ts'
import { mutantsOf } from '#scripts/mutate/mutants.ts'
import { switchTogether } from '#scripts/mutate/switched.ts'
import { openBackend } from '#test/contracts/backends/open.ts'
import type { ChainBackend } from '#test/contracts/backends/backend.ts'

const PATH = 'contracts/A.sol'
/** One function for each form in which versions can stand side by side, and a library's pure one. */
const SOURCE = `pragma solidity 0.8.37;
library L {
    function bits(uint256 a) internal pure returns (uint256) { return (a & 6) << 2; }
}
contract A {
    error Bad(uint256 a, uint256 b);
    struct Pair { uint256 left; uint256 right; }
    uint256 constant STEP = 5;
    uint256 immutable FIRST;
    Pair kept;
    modifier small(uint256 a) { if (a > 9) revert Bad(a, 9); _; }
    constructor() { FIRST = 7 * 2; }
    function two(uint256 a) internal pure returns (uint256, uint256) { return (a + 1, a * 2); }
    // Ünicode before it: places are bytes, not characters.
    function f(uint256 a, uint256 b) external small(a) returns (uint256 sum) {
        if (a == b) revert Bad(a, b); else sum += 1;
        Pair storage pair = kept;
        (pair.left, pair.right) = two(a - b);
        (, uint256 second) = two(b);
        uint256 shifted = 1 << 4;
        for (uint256 i = 0; i < 3; ++i) sum += i;
        while (second > 20) { second -= 7; }
        sum += L.bits(a) + (b > 2 ? shifted : second) + STEP + FIRST + pair.right;
    }
}
`
const INPUTS = [0, 1, 2, 3, 5, 9, 10].flatMap(a => [0, 1, 3, 30].map(b => [a, b] as const))

describe('mutants compiled together', () => {
  let chain: ChainBackend
  before(async () => {
    chain = await openBackend()
  })
  after(() => chain.close())

  it('do what each does alone, and nothing while none of them runs', async function () {
    this.timeout(300_000)
    const mutants = mutantsOf(PATH, SOURCE)
    const groups = switchTogether(SOURCE, mutants, PATH)
    const unchanged = await outcomes(chain.signer, alone(SOURCE))
    for (const group of groups) {
      const mixture = mixtureOf('A', PATH, group.source)
      expect(await outcomes(chain.signer, mixture.linked(0).creationCode)).to.deep.equal(unchanged)
      for (const [i, { source, before, after }] of group.mutants.entries()) {
        const together = await outcomes(chain.signer, mixture.linked(i + 1).creationCode)
        expect(together, `${before} -> ${after}`).to.deep.equal(await outcomes(chain.signer, alone(source)))
      }
    }
    const tried = new Set(groups.flatMap(group => group.mutants.map(({ operator }) => operator)))
    const left = mutants.filter(({ operator }) => !tried.has(operator)).map(({ operator }) => operator)
    expect(left).to.deep.equal(['drop modifier', 'drop step'])
  })

  it('tell what does not compile, and leave out constants, modifiers and the heads of loops', () => {
    const source = SOURCE.replace('sum += i;', 'g(a, true);').replace(
      '// Ü',
      'function g(uint256, bool) internal pure {}\n// Ü'
    )
    const mutants = mutantsOf(PATH, source)
    const [group, ...more] = switchTogether(source, mutants, PATH)
    expect(more).to.deep.equal([])
    expect(group!.invalid.map(({ after }) => after)).to.deep.equal(['FIRST = 7 / 2', 'g(true, a)'])
    const left = mutants.filter(mutant => ![...group!.mutants, ...group!.invalid].includes(mutant))
    expect(left.map(({ operator, after }) => [operator, after])).to.deep.include.members([
      ['constant + 1', 'uint256 constant STEP = 6'],
      ['drop step', '0'],
      ['drop modifier', left.find(({ operator }) => operator === 'drop modifier')?.after]
    ])
    expect(left.length + group!.mutants.length + 2).to.equal(mutants.length)
  })
})

function alone(source: string): string {
  const { contracts } = compileContracts([], [PATH], ['A'], new Map([[PATH, source]]))
  return contracts.get(PATH)?.[0]?.creationCode ?? ''
}

/** What the function answers to each input, and what it leaves in storage. */
async function outcomes(signer: Signer, creationCode: string): Promise<unknown[]> {
  const abi = ['function f(uint256, uint256) returns (uint256)']
  const address = await (await new ContractFactory(abi, creationCode, signer).deploy()).getAddress()
  const contract = new Contract(address, abi, signer)
  const answers: unknown[] = []
  for (const [a, b] of INPUTS) {
    answers.push(await contract.getFunction('f').staticCall(a, b, { gasLimit: 1_000_000 }).catch(reasonOf))
  }
  await contract.getFunction('f').send(9, 3).catch(reasonOf)
  for (const slot of [0, 1]) answers.push(await signer.provider?.getStorage(address, slot))
  return answers
}

/** What it reverted with; out of gas is none. */
function reasonOf(error: unknown): unknown {
  return (error as { readonly data?: string }).data ?? 'none'
}
