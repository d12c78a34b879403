import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { consistencyProof } from '#core/batch/tree.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { parseCheckpointNote } from '#core/tlog/checkpoint.ts'
import { readCosignature } from '#core/tlog/cosignature.ts'
import { encodeWitnessRequest } from '#core/tlog/witness.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import type { PlainServer } from '#node/http/plain-server.ts'
import { createWitnessServer } from '#node/witness/server.ts'
import { loadOrCreateWitness } from '#node/witness/witness-key.ts'
import { openWitness, type Witness } from '#node/witness/witness.ts'
import { checkpointOf, LOG, logOf, witnessOf } from '#test/core/tlog/fixtures.ts'
import { expectCode } from '#test/error-code.ts'

const tree = logOf(200)
const fork = logOf(200, 'other')
const me = witnessOf(0)

function requestOf(of: typeof tree, oldSize: number, size: number): string {
  return encodeWitnessRequest({
    oldSize,
    path: consistencyProof(p, of, oldSize, size),
    checkpoint: checkpointOf(of, size)
  })
}

describe('a witness over HTTP', () => {
  let directory: string
  let witness: Witness
  let server: PlainServer
  let url: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-witness-'))
    await open()
  })
  afterEach(async () => {
    await server.stop()
    await witness.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function open(): Promise<void> {
    witness = await openWitness({ p, clock: () => 1_700_000_000_000 }, { dataDir: directory, ...me, logs: [LOG] })
    server = createWitnessServer(witness, { host: '127.0.0.1', port: 0 })
    url = await server.start()
  }
  async function reopen(): Promise<void> {
    await server.stop()
    await witness.close()
    await open()
  }
  async function post(body: string): Promise<{ status: number; body: string; type: string | null }> {
    const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
    return { status: response.status, body: await response.text(), type: response.headers.get('content-type') }
  }

  it('cosigns a log as it grows, remembers it over a restart, and shows what it cosigned', async () => {
    const first = await post(requestOf(tree, 0, 70))
    expect(first.status).to.equal(200)
    const cosigned = parseCheckpointNote(checkpointOf(tree, 70) + first.body)
    expect(readCosignature(p, cosigned, me)).to.deep.equal({ name: me.name, timeS: 1_700_000_000 })
    await reopen()
    expect(await post(requestOf(tree, 0, 90))).to.deep.equal({ status: 409, body: '70\n', type: 'text/x.tlog.size' })
    expect((await post(requestOf(tree, 70, 90))).status).to.equal(200)
    const hash = toHex(p.sha256(utf8(LOG.origin))).slice(2)
    const shown = await (await fetch(`${url}/${hash}/checkpoint`)).text()
    expect(shown.startsWith(checkpointOf(tree, 90))).to.equal(true)
    expect(readCosignature(p, parseCheckpointNote(shown), me)?.name).to.equal(me.name)
    expect((await fetch(`${url}/${'0'.repeat(64)}/checkpoint`)).status).to.equal(404)
  })

  it('cosigns no fork and no step back, asked one after the other or all at once', async () => {
    expect((await post(requestOf(tree, 0, 100))).status).to.equal(200)
    expect((await post(requestOf(fork, 100, 150))).status).to.equal(422)
    expect((await post(requestOf(tree, 50, 60))).status).to.equal(409)
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => post(requestOf(i % 2 === 0 ? tree : fork, 100, 101 + i)))
    )
    expect(all.filter(({ status }) => status === 200)).to.have.length(1)
    expect(all.every(({ status }) => [200, 409, 422].includes(status))).to.equal(true)
    await reopen()
    expect((await post(requestOf(fork, 100, 150))).status).to.be.oneOf([409, 422])
  })

  it('refuses what is too long, what is no request, and other paths', async () => {
    expect((await post('x'.repeat(60_000))).status).to.equal(413)
    expect((await post('\u0000')).status).to.equal(400)
    expect((await fetch(`${url}/`)).status).to.equal(404)
    expect((await fetch(`${url}/add-checkpoint`)).status).to.equal(404)
  })

  it('does not start beside another, nor over damaged memory', async () => {
    const again = (): Promise<Witness> =>
      openWitness({ p, clock: Date.now }, { dataDir: directory, ...me, logs: [LOG] })
    await expectCode('WITNESS_IN_USE', again)
    await post(requestOf(tree, 0, 100))
    await server.stop()
    await witness.close()
    const name = (await readdir(directory)).find(each => each.length === 64)!
    const bytes = await readFile(join(directory, name))
    bytes[1]! ^= 0x20
    await writeFile(join(directory, name), bytes)
    await expectCode('WITNESS_STATE', again)
    await rm(join(directory, name))
    await open()
  })

  it('keeps its key under one name', async () => {
    const home = join(directory, 'home')
    await expectCode('WITNESS_NAME', () => loadOrCreateWitness(home, undefined))
    await expectCode('WITNESS_NAME', () => loadOrCreateWitness(home, 'a b'))
    const made = await loadOrCreateWitness(home, 'witness.example/x')
    expect(await loadOrCreateWitness(home, undefined)).to.deep.equal(made)
    await expectCode('WITNESS_NAME', () => loadOrCreateWitness(home, 'witness.example/y'))
  })
})
