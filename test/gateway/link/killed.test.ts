import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { decodeReading } from '#core/batch/reading.ts'
import { openJournal } from '#gateway/journal.ts'
import { openDeviceStore } from '#gateway/link/device-store.ts'
import { random } from '#test/gateway/fresh.ts'
import { freshFolder, heartRate, p, startUdpSensor, STORE_KEY, until } from '#test/gateway/link/world.ts'

const GATEWAY = fileURLToPath(new URL('child-link.ts', import.meta.url))
const SENSOR = fileURLToPath(new URL('child-sensor.ts', import.meta.url))
const KILLS = 2

describe('a link whose processes are killed', function () {
  this.timeout(120_000)
  let folder: string
  let remove: () => Promise<void>

  beforeEach(async () => ({ path: folder, remove } = await freshFolder()))
  afterEach(async () => remove())

  async function startGateway(port: number): Promise<{ child: ChildProcess; port: number }> {
    const child = spawn(process.execPath, [GATEWAY, folder, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })
    const [line] = (await once(lines, 'line')) as [string]
    return { child, port: (JSON.parse(line) as { port: number }).port }
  }

  async function kill(child: ChildProcess): Promise<void> {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  it('loses no reading that the gateway acknowledged, and keeps their order', async () => {
    const store = await openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key: STORE_KEY })
    const card = await store.provision({ device: 'monitor', suite: 1, udp: '', mqtt: '' })
    let { child, port } = await startGateway(0)
    const sensor = await startUdpSensor(folder, port, card)
    let pushed = 0
    for (let life = 0; life <= KILLS; life++) {
      const before = sensor.acknowledged
      for (let i = 0; i < 200; i++) await sensor.push([heartRate(pushed++)])
      // Somewhere in the middle of it.
      await until('some are acknowledged', () => sensor.acknowledged > before + 20 * life)
      if (life === KILLS) break
      await kill(child)
      ;({ child, port } = await startGateway(port))
    }
    await until('all is acknowledged', () => sensor.waiting === 0)
    await sensor.stop()
    await kill(child)
    const journal = await openJournal(join(folder, 'journal'))
    await journal.close()
    const sequences = journal.records.map(record => decodeReading(record).sequence)
    // Some stand there twice: those that were durable and not acknowledged yet when the gateway was killed.
    expect([...new Set(sequences)]).to.deep.equal(Array.from({ length: pushed }, (_, i) => i))
  })

  it('gives no attempt and no message a number twice', async () => {
    const marks = join(folder, 'marks')
    const used = new Set<string>()
    let repeated = 0
    for (let life = 0; life < 4; life++) {
      const child = spawn(process.execPath, [SENSOR, marks], { stdio: ['ignore', 'pipe', 'inherit'] })
      let lines = 0
      for await (const line of createInterface({ input: child.stdout })) {
        if (used.has(line)) repeated++
        used.add(line)
        if (++lines === 400 + 700 * life) child.kill('SIGKILL')
      }
    }
    expect(repeated).to.equal(0)
    expect(used.size).to.be.greaterThan(4 * 400)
  })
})
