/** Peers in a process of their own that connect to an address and stay. */
import { join } from 'node:path'
import { parseAddress } from '#node/network/supervisor.ts'
import { openSpeaker } from '#scripts/bench/gossip/speakers.ts'

const [, , directory = '', address = '', count = '0'] = process.argv
for (let i = 0; i < Number(count); i++) {
  const { host } = await openSpeaker(join(directory, `peer-${String(i)}`), () => undefined, { listen: [] })
  await host.libp2p.dial(parseAddress(address))
}
process.on('disconnect', () => process.exit())
process.send?.('connected')
