/** A device's update in a process of its own, which kills itself at a step: what a power cut leaves behind. */
import { startFirmwarePeer } from '#node/firmware/peer.ts'
import { openDeviceFiles } from '#node/firmware/device-files.ts'
import { updateDevice } from '#node/firmware/device.ts'
import { createImageSource } from '#node/firmware/image-source.ts'
import { openRegistry } from '#node/firmware/registry.ts'
import { createLog } from '#node/log.ts'

const [directory = '', address = '', killAt = ''] = process.argv.slice(2)
const log = createLog({ name: 'device', level: 'silent' })
const files = openDeviceFiles(directory)
const { registry: contract, rpcUrl } = await files.readState()
const peer = await startFirmwarePeer({ directory: `${directory}/peer`, listen: [], peers: [address], log })
const registry = await openRegistry({ rpcUrl, registry: contract })
let step = 0
const { outcome } = await updateDevice(
  { files, registry, source: createImageSource(peer), clock: Date.now },
  {
    onStep: event => {
      console.log(JSON.stringify(event))
      if (String(step++) === killAt) process.kill(process.pid, 'SIGKILL')
    }
  }
)
console.log(JSON.stringify({ outcome, steps: step }))
registry.close()
await peer.stop()
