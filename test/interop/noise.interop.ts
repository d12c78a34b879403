import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { beginHandshake, readMessage, splitHandshake, writeMessage } from '#core/link/noise.ts'
import { nativeLinkPrimitives as p } from '#gateway/link/native.ts'
import { random } from '#test/gateway/fresh.ts'

const PYTHON = process.env['SALUS_TEST_NOISE_PYTHON'] ?? 'python3'
const PEER = fileURLToPath(new URL('../../scripts/interop/noise/peer.py', import.meta.url))
const ROUNDS = 25

const hex = (bytes: Uint8Array): string => toHex(bytes).slice(2)

describe('the handshakes of constrained sensors, with noiseprotocol', function () {
  this.timeout(120_000)
  let child: ChildProcessByStdio<Writable, Readable, null>
  let ask: (question: Record<string, unknown>) => Promise<Record<string, string>>

  before(() => {
    child = spawn(PYTHON, [PEER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    ask = async question => {
      const answer = once(lines, 'line') as Promise<[string]>
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return JSON.parse((await answer)[0]) as Record<string, string>
    }
  })
  after(async () => {
    const gone = once(child, 'exit')
    child.stdin.end()
    await gone
  })

  for (const pattern of ['NNpsk0', 'KKpsk0'] as const) {
    for (const isInitiator of [true, false]) {
      it(`agree as ${isInitiator ? 'sensor' : 'gateway'} on the same keys (${pattern})`, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          const [psk, own, theirs, prologue] = [random(32), random(32), random(32), random(round)]
          const statics = pattern === 'KKpsk0'
          const { key } = await ask({
            do: 'begin',
            pattern,
            initiator: !isInitiator,
            psk: hex(psk),
            prologue: hex(prologue),
            ...(statics ? { static: hex(theirs), remote: hex(p.x25519PublicKey(own)) } : {})
          })
          const ours = beginHandshake(p, {
            pattern,
            isInitiator,
            prologue,
            psk,
            ephemeral: random(32),
            ...(statics ? { statics: { own, remote: fromHex(key ?? '', 32) } } : {})
          })
          for (const isOurs of [isInitiator, !isInitiator]) {
            const payload = random(round)
            if (isOurs) {
              const message = writeMessage(p, ours, payload) ?? new Uint8Array()
              expect((await ask({ do: 'read', message: hex(message) }))['payload']).to.equal(hex(payload))
            } else {
              const { message = '' } = await ask({ do: 'write', payload: hex(payload) })
              expect(readMessage(p, ours, fromHex(message))).to.deep.equal(payload)
            }
          }
          const { fromInitiator, fromResponder, hash } = splitHandshake(p, ours)
          const [sends, receives] = isInitiator ? [fromResponder, fromInitiator] : [fromInitiator, fromResponder]
          expect(await ask({ do: 'end' })).to.deep.equal({
            hash: hex(hash),
            sends: hex(sends),
            receives: hex(receives)
          })
        }
      })
    }
  }
})
