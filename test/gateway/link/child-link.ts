/** A gateway's link in a process of its own, to be killed: what it acknowledges is in its journal. */
import { join } from 'node:path'
import { encodeReading } from '#core/batch/reading.ts'
import { createUdpLink } from '#gateway/adapters/udp.ts'
import { openJournal } from '#gateway/journal.ts'
import { openDeviceStore } from '#gateway/link/device-store.ts'
import { createIntake } from '#gateway/link/intake.ts'
import { random } from '#test/gateway/fresh.ts'
import { clock, log, p, STORE_KEY } from '#test/gateway/link/world.ts'

const [folder = '', port = ''] = process.argv.slice(2)
const journal = await openJournal(join(folder, 'journal'))
const store = await openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key: STORE_KEY })
const intake = createIntake(
  {
    clock,
    accept: async ({ readings }) => {
      await Promise.all(readings.map(async reading => journal.append(encodeReading(reading))))
    }
  },
  { capacity: 256 }
)
const udp = createUdpLink({ p, random, clock, log, store, intake }, { host: '127.0.0.1', port: Number(port) })
await udp.start()
process.stdout.write(`${JSON.stringify({ port: udp.port })}\n`)
