/** A device's update in a process of its own, which kills itself at a step: what a power cut leaves behind. */
import { createReadStream } from 'node:fs'
import { openDeviceFiles } from '#node/firmware/device-files.ts'
import { updateDevice, type ImageSource } from '#node/firmware/device.ts'
import { openRegistry } from '#node/firmware/registry.ts'
import { createLog } from '#node/log.ts'

const [directory = '', from = '', killAt = ''] = process.argv.slice(2)
const files = openDeviceFiles(directory)
const { registry: contract, rpcUrl } = await files.readState()
const { source, stop } = from.startsWith('/ip4/') ? await peerSource(from) : fileSource(from)
const registry = await openRegistry({ rpcUrl, registry: contract })
let step = 0
const { outcome } = await updateDevice(
  { files, registry, source, clock: Date.now },
  {
    onStep: event => {
      console.log(JSON.stringify(event))
      if (String(step++) === killAt) process.kill(process.pid, 'SIGKILL')
    }
  }
)
console.log(JSON.stringify({ outcome, steps: step }))
registry.close()
await stop()

interface OpenSource {
  readonly source: ImageSource
  readonly stop: () => Promise<void>
}

/** The image from a peer. Its libraries are loaded only here: they take longer to load than the rest takes to run. */
async function peerSource(address: string): Promise<OpenSource> {
  const { createImageSource } = await import('#node/firmware/image-source.ts')
  const { startFirmwarePeer } = await import('#node/firmware/peer.ts')
  const log = createLog({ name: 'device', level: 'silent' })
  const peer = await startFirmwarePeer({ directory: `${directory}/peer`, listen: [], peers: [address], log })
  return { source: createImageSource(peer), stop: async () => peer.stop() }
}

/** The image from a file, for cuts that are not about the network. */
function fileSource(path: string): OpenSource {
  const source = {
    fetch: () => createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>,
    heldBytes: async () => Promise.resolve(0),
    clear: async () => Promise.resolve()
  }
  return { source, stop: async () => Promise.resolve() }
}
