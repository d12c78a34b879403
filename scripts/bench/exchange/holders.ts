/** One file from 1, 4 and 8 holders, also with a liar and a slow one among them: time, and bytes moved. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { RANGE_PROTOCOL } from '#node/network/range-serve.ts'
import { openBenchPeer } from '#scripts/bench/exchange/peer.ts'
import type { Bench } from '#scripts/bench/report.ts'

const MIB = 1 << 20

interface Holders {
  readonly root: string
  readonly liar: string
  readonly slow: string
  readonly honest: readonly string[]
}

/** Runs each variant some times, in turns. */
export async function benchHolders(bench: Bench, directory: string): Promise<void> {
  const sizeBytes = (bench.quick ? 8 : 64) * MIB
  const folder = join(directory, 'holders')
  const child = fork(new URL('./holders-child.ts', import.meta.url), [folder, '8', String(sizeBytes)])
  try {
    const [told] = (await once(child, 'message')) as [Holders]
    const variants: Record<string, readonly string[]> = {
      '1': told.honest.slice(0, 1),
      '4': told.honest.slice(0, 4),
      '8': told.honest.slice(0, 8),
      '8, one a liar': [...told.honest.slice(0, 7), told.liar],
      '8, one slow': [...told.honest.slice(0, 7), told.slow]
    }
    const rates = new Map<string, number[]>()
    const moved = new Map<string, number[]>()
    for (let round = 0; round < (bench.quick ? 1 : 5); round++) {
      for (const [name, addresses] of Object.entries(variants)) {
        const path = join(directory, `reader-${String(round)}-${name}`)
        const result = await fetchFrom(path, CID.parse(told.root), addresses, sizeBytes)
        rates.set(name, [...(rates.get(name) ?? []), result.rate])
        moved.set(name, [...(moved.get(name) ?? []), result.moved])
        bench.progress(`holders ${name}: ${JSON.stringify(result)}`)
      }
    }
    const one = rates.get('1') ?? []
    for (const [name, samples] of rates) {
      bench.figure({ metric: `holders.${name}`, samples, unit: 'MiB/s', versus: { name: '1 holder', samples: one } })
      const goal = name.includes('liar') ? {} : { goal: '<= 1.01', meets: (median: number) => median <= 1.01 }
      bench.figure({
        metric: `moved.${name}`,
        samples: moved.get(name) ?? [],
        unit: 'bytes per byte of the file',
        ...goal
      })
    }
  } finally {
    child.kill()
  }
}

/** Fetches a file into a fresh store. */
async function fetchFrom(
  path: string,
  root: CID,
  addresses: readonly string[],
  sizeBytes: number
): Promise<{ rate: number; moved: number }> {
  const reader = await openBenchPeer(path)
  const { libp2p } = reader.host
  try {
    await Promise.all(addresses.map(async address => libp2p.dial(multiaddr(address))))
    const speaks = async (): Promise<boolean> => {
      const known = await Promise.all(libp2p.getPeers().map(async peer => libp2p.peerStore.get(peer)))
      return known.every(({ protocols }) => protocols.includes(RANGE_PROTOCOL))
    }
    while (!(await speaks())) await pause(10)
    const startMs = performance.now()
    let received = 0
    for await (const part of reader.exchange.fetch(root, { maxBytes: 2 * sizeBytes })) received += part.length
    const seconds = (performance.now() - startMs) / 1000
    const { receivedBytes, wastedBytes, fallbackBlocks } = reader.exchange.counts()
    if (received !== sizeBytes || fallbackBlocks > 0) throw new Error('the file did not come by the exchange')
    return { rate: sizeBytes / MIB / seconds, moved: (receivedBytes + wastedBytes) / sizeBytes }
  } finally {
    await reader.stop()
    await rm(path, { recursive: true })
  }
}
