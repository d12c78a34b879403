import { expect } from 'chai'
import { hexlify, toUtf8Bytes } from 'ethers'
import { findLinks } from '#scripts/observer/links.ts'
import type { SeenTransaction } from '#scripts/observer/observe.ts'
import { readTransactions, type Report } from '#scripts/observer/search.ts'
import { openAnvil, type AnvilBackend } from '#test/contracts/backends/anvil.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { calledFunctions, stateChangingFunctions } from '#test/scripts/observer/called.ts'
import { tellStory, type Story } from '#test/scripts/observer/story.ts'
import { watch } from '#test/scripts/observer/watch.ts'

describe('what the chain shows of a whole story', function () {
  this.timeout(120_000)
  let backend: AnvilBackend
  let chain: TestChain
  let story: Story
  let seen: SeenTransaction[]
  let report: Report
  before(async () => {
    backend = await openAnvil()
    chain = await openChain(backend)
    story = await tellStory(chain)
    seen = await readTransactions(backend.provider)
    report = await watch({ backend, chain }, story)
  })
  after(() => chain.close())

  const about = (index: number): SeenTransaction[] => {
    const hashes = story.relationships[index]?.hashes ?? []
    return seen.filter(({ hash }) => hashes.includes(hash))
  }

  it('calls every function of every contract that can change something; what is new belongs into the story too', async () => {
    const functions = await stateChangingFunctions(chain.deployment)
    const called = await calledFunctions(
      backend.provider,
      seen.map(({ hash }) => hash)
    )
    const left = [...functions].filter(([key]) => !called.has(key)).map(([, name]) => name)
    expect(left, 'never called; add to test/scripts/observer/*-story.ts').to.deep.equal([])
    expect(functions.size).to.be.greaterThan(100)
  })

  it('is seen whole: calldata, logs and storage of every relationship', () => {
    expect(new Set(seen.flatMap(({ parts }) => parts.map(({ place }) => place)))).to.have.all.keys(
      'calldata',
      'log',
      'storage'
    )
    for (const index of [0, 1, 2]) expect(about(index).length, 'transactions').to.be.greaterThan(25)
  })

  it('is no name, health word, purpose, reason or record, nor a hash of what can be guessed', () => {
    expect(report.findings).to.deep.equal([])
  })

  it('links no two relationships beyond what docs/privacy.md declares', () => {
    expect(report.links).to.deep.equal([])
  })

  it('does show what is declared: without the list there are links', () => {
    const links = findLinks(about(1), about(2), [])
    const shown = (bytes: string): boolean => links.some(link => link.includes(bytes.slice(2).toLowerCase()))
    for (const each of [story.sharedGrantee, ...story.staff]) expect(shown(each), each).to.equal(true)
    expect(shown(hexlify(toUtf8Bytes('salus.example')))).to.equal(true)
  })
})
