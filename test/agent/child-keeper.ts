/** Counts in the name of the first device of a vault, on and on; says each number once it is durable. */
import { randomBytes } from 'node:crypto'
import { createKeeper } from '#agent/vault/keeper.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { nativeStretch as stretch } from '#node/crypto/native-scrypt.ts'

const [home = '', passphrase = ''] = process.argv.slice(2)
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))
const keeper = createKeeper({ p, random, stretch }, { home })
await keeper.unlock(passphrase)
for (;;) {
  const { devices } = await keeper.update(state => ({
    ...state,
    devices: state.devices.map(device => ({ ...device, name: String(Number(device.name) + 1) }))
  }))
  process.stdout.write(`${devices[0]?.name ?? ''}\n`)
}
