import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { JsonRpcProvider, concat, getBytes, toUtf8Bytes } from 'ethers'
import { openDecoder } from '#scripts/observer/calls.ts'
import { readDeclared } from '#scripts/observer/declared.ts'
import { findNeedles } from '#scripts/observer/find.ts'
import { needlesOf } from '#scripts/observer/needles.ts'
import { readTransactions } from '#scripts/observer/search.ts'
import { openAnvil, type AnvilBackend } from '#test/contracts/backends/anvil.ts'
import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { expectCode } from '#test/error-code.ts'

/** An endpoint that answers requests for traces in its own way. */
class Untraceable extends JsonRpcProvider {
  readonly #answer: () => Promise<unknown>

  constructor(url: string, answer: () => Promise<unknown>) {
    super(url)
    this.#answer = answer
  }

  override async send(method: string, params: unknown[]): Promise<unknown> {
    return method === 'debug_traceTransaction' ? this.#answer() : super.send(method, params as never[])
  }
}

describe('what the observer refuses', function () {
  this.timeout(60_000)
  let backend: AnvilBackend
  let chain: TestChain
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'salus-observer-'))
    backend = await openAnvil()
    chain = await openChain(backend)
  })
  after(async () => {
    await chain.close()
    await rm(dir, { recursive: true, force: true })
  })

  describe('an endpoint that cannot trace', () => {
    for (const [what, answer] of [
      ['has no such method', () => Promise.reject(new Error('the method debug_traceTransaction does not exist'))],
      ['does not know the tracer and gives another trace', () => Promise.resolve({ structLogs: [] })],
      ['has forgotten the state', () => Promise.resolve(null)]
    ] as const) {
      it(`because it ${what}, unless storage is left out`, async () => {
        const provider = new Untraceable(backend.rpcUrl, answer)
        await expectCode('OBSERVER_TRACER', () => readTransactions(provider))
        expect(await readTransactions(provider, { withStorage: false })).to.have.length.above(0)
        provider.destroy()
      })
    }
  })

  it('never stops for what others send: bytes that no contract can read are searched as bytes', async () => {
    const { address } = chain.deployment.contracts.AccessGrants
    const selector = chain.contracts.grants.interface.getFunction('register').selector
    const decode = await openDecoder(chain.deployment)
    const bytes = getBytes(concat([selector, toUtf8Bytes('Erika Mustermann')]))
    const sent = { hash: '0x01', blockNumber: 1, time: 1, from: address, to: address, value: 0n, tip: 1n }
    const transaction = { ...sent, parts: [{ place: 'calldata' as const, bytes }] }
    expect(decode(transaction)).to.deep.equal([])
    const needles = needlesOf([{ kind: 'text', name: 'name', value: 'Erika Mustermann' }])
    expect(findNeedles(transaction, needles).map(({ needle }) => needle)).to.include('name')
  })

  describe('a page', () => {
    const refuse = async (change: (page: string) => string): Promise<void> => {
      const page = await readFile(new URL('../../../docs/privacy.md', import.meta.url), 'utf8')
      const path = join(dir, 'privacy.md')
      await writeFile(path, change(page))
      const sources = { deployment: chain.deployment, relayers: [], grantees: [], staff: [], passkeySite: 'x' }
      await expectCode('OBSERVER_PAGE', () => readDeclared(sources, path))
    }

    it('that declares more than the observer knows', async () => {
      await refuse(page => page.replace('| `passkey` |', '| `postcode` |'))
    })

    it('whose tables are gone or cannot be read', async () => {
      await refuse(page => page.replace('## What is declared', '## Declared'))
      await refuse(page => page.replace('| `vulnerability` |', '| vulnerability |'))
    })
  })
})
