import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { createAgentState } from '#core/agent/agent-state.ts'
import { createKeeper, type Keeper } from '#agent/vault/keeper.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nativeStretch as stretch } from '#node/crypto/native-scrypt.ts'
import { expectCode } from '#test/error-code.ts'

const PASSPHRASE = 'correct horse battery staple'
const ROUNDS = 12

describe('a vault whose keeper is killed', function () {
  this.timeout(120_000)
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
  let home: string

  const keeper = (): Keeper => createKeeper({ p, random, stretch }, { home, cost: { logN: 14, r: 8, p: 1 } })

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'salus-vault-'))
  })

  afterEach(async () => {
    await rm(home, { recursive: true, force: true })
  })

  it('holds the last state that was said to be kept, or the one after', async () => {
    const state = createAgentState(p, random, { network: new Uint8Array(32), deviceName: '0', nowMs: 0 })
    await keeper().create(PASSPHRASE, state)
    let least = 0
    for (let round = 0; round < ROUNDS; round++) {
      const script = fileURLToPath(new URL('./child-keeper.ts', import.meta.url))
      const child = spawn(process.execPath, [script, home, PASSPHRASE], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface({ input: child.stdout })
      let said = least
      const killAfter = least + 1 + round * 3
      lines.on('line', line => {
        said = Number(line)
        if (said >= killAfter) child.kill('SIGKILL')
      })
      await once(lines, 'close')
      const opened = keeper()
      await opened.unlock(PASSPHRASE)
      const [device] = opened.state().devices
      expect(Number(device?.name)).to.be.within(said, said + 1)
      least = Number(device?.name)
      await opened.lock()
    }
    expect(least).to.be.at.least(ROUNDS)
  })

  it('writes nothing that would not open again', async () => {
    const made = keeper()
    await made.create(PASSPHRASE, createAgentState(p, random, { network: random(32), deviceName: 'a', nowMs: 0 }))
    const renamed = async (name: string): Promise<unknown> =>
      made.update(state => ({ ...state, devices: state.devices.map(device => ({ ...device, name })) }))
    await expectCode('VAULT_UNREADABLE', async () => renamed('b'.repeat(65)))
    expect(made.state().devices[0]?.name).to.equal('a')
    await renamed('b'.repeat(64))
    await made.lock()
    await made.unlock(PASSPHRASE)
    expect(made.state().devices[0]?.name).to.have.lengthOf(64)
    await made.lock()
  })

  it('is shut when any of those who lock it hears so, and open when one who unlocks it meanwhile does', async () => {
    const made = keeper()
    await made.create(PASSPHRASE, createAgentState(p, random, { network: random(32), deviceName: 'a', nowMs: 0 }))
    const { deviceSeed } = made.state()
    const holding = made.hold(async () => new Promise(resolve => setTimeout(resolve, 200)))
    const first = made.lock()
    const again = made.lock().then(() => expect(deviceSeed).to.deep.equal(new Uint8Array(32)))
    const unlocked = made.unlock(PASSPHRASE).then(async () => expect(await made.status()).to.equal('unlocked'))
    await Promise.all([holding, first, again, unlocked])
    expect(await made.status()).to.equal('unlocked')
    await made.lock()
  })

  it('forgets every key that it handed out when it is locked', async () => {
    const made = keeper()
    await made.create(PASSPHRASE, createAgentState(p, random, { network: random(32), deviceName: 'a', nowMs: 0 }))
    const { deviceSeed } = made.state()
    expect(deviceSeed.some(byte => byte !== 0)).to.equal(true)
    let isFinished = false
    const holding = made.hold(async () => {
      await new Promise(resolve => setTimeout(resolve, 200))
      expect(made.state().deviceSeed.some(byte => byte !== 0)).to.equal(true)
      isFinished = true
    })
    await made.lock()
    expect(isFinished, 'what was under way could finish').to.equal(true)
    await holding
    expect(deviceSeed).to.deep.equal(new Uint8Array(32))
  })
})
