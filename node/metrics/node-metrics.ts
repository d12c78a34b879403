/** What a node measures of itself beside its process and its HTTP API. */
import { statfs } from 'node:fs/promises'
import { counted, createCounter, gauge, gauges, type Family } from '#node/metrics/families.ts'

/** Where a node stands, read when the metrics are. */
export interface NodeReadings {
  readonly peers: () => number
  readonly topicPeers: () => number
  readonly messages: () => Promise<number>
  readonly blobsWanted: () => number
  readonly eventReaders: () => number
  readonly chain: () => { readonly state: string; readonly blockNumber: number; readonly headNumber: number }
  /** Time of the newest block that is followed, seconds since 1970. */
  readonly blockTimeS: () => number
  readonly isReady: () => boolean
  /** Ether of the relayer’s account in wei; undefined without one, or while it is not known. */
  readonly relayerWei: () => bigint | undefined
  readonly dataDir: string
}

/** What a node counts while it runs. */
export interface NodeCounters {
  readonly accepted: (kind: string) => void
  readonly banned: () => void
  readonly connected: (change: 'connect' | 'disconnect') => void
}

/** A node's metrics. */
export interface NodeMetrics {
  readonly count: NodeCounters
  read(): Promise<readonly Family[]>
}

const STATES = ['starting', 'following', 'catching-up', 'waiting']
const WEI_PER_ETHER = 1e18

/** Makes them. */
export function createNodeMetrics(readings: NodeReadings): NodeMetrics {
  const accepted = createCounter({ name: 'salus_messages_accepted', help: 'Messages taken in, by kind.' }, ['kind'])
  const bans = createCounter({ name: 'salus_peers_banned', help: 'Peers cut off for bad conduct.' })
  const connections = createCounter({ name: 'salus_peer_changes', help: 'Connections made and lost.' }, ['change'])
  return {
    count: {
      accepted: kind => accepted.add({ kind }),
      banned: () => bans.add(),
      connected: change => connections.add({ change })
    },
    async read() {
      const { state, blockNumber, headNumber } = readings.chain()
      const wei = readings.relayerWei()
      const messages = await readings.messages()
      // A folder that is gone is for the store to tell.
      const disk = await statfs(readings.dataDir).catch(() => undefined)
      return [
        gauge({ name: 'salus_ready', help: '1 while the node serves, 0 while it waits.' }, readings.isReady() ? 1 : 0),
        gauge({ name: 'salus_peers', help: 'Connected peers.' }, readings.peers()),
        gauge({ name: 'salus_gossip_peers', help: 'Peers that gossip with this node.' }, readings.topicPeers()),
        connections.read(),
        bans.read(),
        accepted.read(),
        counted({ name: 'salus_log_messages', help: 'Position of the newest message in the log.' }, messages),
        gauge({ name: 'salus_blobs_wanted', help: 'Blobs that are named but not here.' }, readings.blobsWanted()),
        gauge({ name: 'salus_event_readers', help: 'Readers of server-sent events.' }, readings.eventReaders()),
        gauges(
          { name: 'salus_chain_state', help: '1 for where the node stands on the chain.' },
          STATES.map(each => [{ state: each }, each === state ? 1 : 0] as const)
        ),
        gauge({ name: 'salus_chain_block', help: 'Newest block that is followed.' }, blockNumber),
        gauge(
          { name: 'salus_chain_lag_blocks', unit: 'blocks', help: 'Blocks that the endpoint is ahead.' },
          Math.max(0, headNumber - blockNumber)
        ),
        gauge(
          { name: 'salus_chain_block_time_seconds', unit: 'seconds', help: 'Time of the newest block, since 1970.' },
          readings.blockTimeS()
        ),
        ...(wei == null
          ? []
          : [
              gauge(
                { name: 'salus_relayer_balance_ether', unit: 'ether', help: 'What the relayer’s account has.' },
                Number(wei) / WEI_PER_ETHER
              )
            ]),
        ...(disk == null
          ? []
          : [
              gauge(
                { name: 'salus_disk_free_bytes', unit: 'bytes', help: 'Room on the disk of the data.' },
                disk.bavail * disk.bsize
              ),
              gauge(
                { name: 'salus_disk_size_bytes', unit: 'bytes', help: 'Size of the disk of the data.' },
                disk.blocks * disk.bsize
              )
            ])
      ]
    }
  }
}
