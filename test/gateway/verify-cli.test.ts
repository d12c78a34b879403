import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { decodeBundle } from '#core/batch/bundle.ts'
import { byContract } from '#core/chain/deployment.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { networkIdOf } from '#core/proof/keccak.ts'

const MAIN = fileURLToPath(new URL('../../node/cli/main.ts', import.meta.url))
const VERIFY = new URL('../../gateway/cli/verify.ts', import.meta.url).href
const NETWORK = /^NativeModule (internal\/deps\/undici|net|http|https|http2|tls|dgram|dns)/

const OTHER = `0x${'22'.repeat(20)}`

/** Lists the platform's network modules that importing the verifier loads; standard output itself may need some. */
const PROBE = `
  process.stdout.write('')
  const before = new Set(process.moduleLoadList)
  await import(${JSON.stringify(VERIFY)})
  console.log(JSON.stringify(process.moduleLoadList.filter(name => !before.has(name))))`

async function execute(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<number | null>(resolve => child.once('close', resolve))
  return { output: await text(child.stdout), code: await closed }
}

describe('salus verify', function () {
  this.timeout(60_000)
  let directory: string
  let file: string
  let expected: Record<string, string>

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-verify-'))
    file = join(directory, 'reading.salus-proof')
    const vector = JSON.parse(await readFile(new URL('../vectors/bundle.json', import.meta.url), 'utf8')) as {
      bundle: string
      verified: Record<string, string>
    }
    expected = vector.verified
    await writeFile(file, fromHex(vector.bundle))
  })
  after(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  it('says what is proven, and that the block is still to be compared', async () => {
    const { code, output } = await execute(MAIN, 'verify', file, '--json')
    expect(code).to.equal(0)
    const answer = JSON.parse(output) as Record<string, unknown>
    expect(answer['ok']).to.equal(true)
    expect(answer['blockHash']).to.equal(expected['blockHash'])
    expect(answer['blockConfirmed']).to.equal(false)
    const confirmed = await execute(MAIN, 'verify', file, '--json', '--block-hash', expected['blockHash']!)
    expect((JSON.parse(confirmed.output) as Record<string, unknown>)['blockConfirmed']).to.equal(true)
  })

  it('compares the contract with the one that is named, and says which it is', async () => {
    const { chain } = decodeBundle(fromHex((await readFile(file)).toString('hex')))
    const address = toHex(chain.batchAnchors)
    const plain = await execute(MAIN, 'verify', file)
    expect(plain.output).to.include(address)
    const answerTo = async (...args: string[]): Promise<Record<string, unknown>> =>
      JSON.parse((await execute(MAIN, 'verify', file, '--json', ...args)).output) as Record<string, unknown>
    expect((await answerTo())['contractConfirmed']).to.equal(false)
    expect((await answerTo('--contract', address))['contractConfirmed']).to.equal(true)
    expect((await answerTo('--contract', OTHER))['code']).to.equal('BUNDLE_CONTRACT')

    const contract = (at: string): unknown => ({ address: at, codeHash: `0x${'00'.repeat(32)}` })
    const deploymentOf = async (changes: Record<string, unknown>, contracts = {}): Promise<string> => {
      const path = join(directory, 'deployment.json')
      const all = {
        ...byContract(() => contract(OTHER)),
        AccessGrants: contract(toHex(chain.accessGrants)),
        BatchAnchors: contract(address),
        ...contracts
      }
      const { chainId } = chain
      const networkId = toHex(networkIdOf(chainId, chain.accessGrants))
      await writeFile(path, JSON.stringify({ chainId, networkId, blockNumber: 1, contracts: all, ...changes }))
      return path
    }
    const known = await answerTo('--deployment', await deploymentOf({}))
    expect(known['contractConfirmed']).to.equal(true)
    const forked = await deploymentOf({}, { BatchAnchors: contract(OTHER) })
    expect((await answerTo('--deployment', forked))['code']).to.equal('BUNDLE_CONTRACT')
    const mixed = await deploymentOf({ chainId: 2 })
    expect((await answerTo('--deployment', mixed))['code']).to.equal('DEPLOYMENT_NETWORK')
    expect((await answerTo('--deployment', file))['code']).to.equal('DEPLOYMENT_FILE')
  })

  it('ends with 1 and names what is wrong', async () => {
    const other = `0x${'00'.repeat(32)}`
    const untrusted = await execute(MAIN, 'verify', file, '--json', '--block-hash', other)
    expect([untrusted.code, (JSON.parse(untrusted.output) as { code: string }).code]).to.deep.equal([
      1,
      'BUNDLE_BLOCK_UNTRUSTED'
    ])
    const absent = await execute(MAIN, 'verify', join(directory, 'none'))
    expect([absent.code, absent.output.split(':')[0]]).to.deep.equal([1, 'BUNDLE_FILE'])
  })

  it('loads nothing that could open a connection', async () => {
    const { output } = await execute('--input-type=module', '-e', PROBE)
    const loaded = JSON.parse(output) as string[]
    expect(loaded).to.include('NativeModule fs/promises')
    expect(loaded.filter(name => NETWORK.test(name))).to.deep.equal([])
  })
})
