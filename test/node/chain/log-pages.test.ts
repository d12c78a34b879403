import { expect } from 'chai'
import { makeError } from 'ethers'
import { pagesBackwards } from '#node/chain/log-pages.ts'
import { expectCode } from '#test/error-code.ts'

type Range = readonly [from: number, to: number]

/** Reads all pages; each is the range that was asked for. */
async function pagesOf(fromBlock: number, toBlock: number, refuse: (blocks: number) => void): Promise<Range[]> {
  const read = async (from: number, to: number): Promise<Range[]> => {
    refuse(to - from + 1)
    return Promise.resolve([[from, to]])
  }
  const pages: Range[] = []
  for await (const page of pagesBackwards(read, { fromBlock, toBlock })) pages.push(...page)
  return pages
}

describe('logs in pages', () => {
  const refusal = makeError('block range is too wide', 'UNKNOWN_ERROR')

  it('cover each block once, the newest first', async () => {
    const all = await pagesOf(7, 12_006, () => undefined)
    expect(all).to.deep.equal([
      [7_007, 12_006],
      [2_007, 7_006],
      [7, 2_006]
    ])
    expect(await pagesOf(9, 8, () => undefined)).to.deep.equal([])
  })

  it('are halved until the endpoint answers', async () => {
    const pages = await pagesOf(1, 10_000, blocks => {
      if (blocks > 800) throw refusal
    })
    expect(pages.at(0)?.[1]).to.equal(10_000)
    expect(pages.at(-1)?.[0]).to.equal(1)
    for (const [i, [from]] of pages.entries()) if (i + 1 < pages.length) expect(pages[i + 1]?.[1]).to.equal(from - 1)
  })

  it('end where the endpoint is away, or refuses a single block', async () => {
    let asked = 0
    await expectCode('CHAIN_UNREACHABLE', () =>
      pagesOf(1, 10_000, () => {
        asked++
        throw makeError('no answer', 'TIMEOUT', { operation: 'request', reason: 'timeout' })
      })
    )
    expect(asked).to.equal(1)
    await expectCode('CHAIN_RPC_FAILED', () =>
      pagesOf(1, 10_000, () => {
        throw refusal
      })
    )
  })
})
