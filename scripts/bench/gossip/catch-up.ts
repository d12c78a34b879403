/** Time in which a peer that was away gets what it missed from one that was not, over a socket and onto the disk; nothing is judged. */
import { join } from 'node:path'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { createLog } from '#node/log.ts'
import { createBans } from '#node/network/bans.ts'
import { openMessageIds } from '#node/network/message-ids.ts'
import { createSync, type Sync } from '#node/network/sync.ts'
import { createMessageLog, type MessageLog } from '#node/store/messages.ts'
import type { Bench } from '#scripts/bench/report.ts'
import { NETWORK, openSpeaker, type Speaker } from '#scripts/bench/gossip/speakers.ts'

const MESSAGE_BYTES = 1_400
const INTERVAL_MS = 3_600_000

interface Keeper extends Speaker {
  readonly messages: MessageLog
  readonly sync: Sync
}

/** Measures it for some numbers of missed entries beside a log of entries that both have. */
export async function measureCatchUp(bench: Bench, directory: string): Promise<void> {
  const shared = bench.quick ? 1_000 : 10_000
  for (const missed of bench.quick ? [10, 100, 1_000] : [100, 1_000, 10_000]) {
    const here = await openKeeper(join(directory, `here-${String(missed)}`))
    const away = await openKeeper(join(directory, `away-${String(missed)}`))
    try {
      const texts = Array.from({ length: shared + missed }, textOf)
      await Promise.all(texts.map(async bytes => here.messages.append(keyOf(bytes), bytes, [])))
      await Promise.all(texts.slice(0, shared).map(async bytes => away.messages.append(keyOf(bytes), bytes, [])))
      await here.sync.start()
      await away.host.libp2p.dial(here.host.libp2p.getMultiaddrs())
      const startMs = performance.now()
      const came = await away.sync.pull(here.host.peerId)
      if (came !== missed) throw new Error(`${String(came)} came of ${String(missed)}`)
      const tookMs = performance.now() - startMs
      bench.progress(`${String(missed)} missed: ${tookMs.toFixed(0)} ms`)
      bench.figure({
        metric: `catch-up.${String(missed)}-of-${String(shared + missed)}`,
        samples: [tookMs],
        unit: 'ms'
      })
    } finally {
      for (const keeper of [here, away]) {
        await keeper.sync.stop()
        await keeper.stop()
      }
    }
  }
}

async function openKeeper(directory: string): Promise<Keeper> {
  const speaker = await openSpeaker(directory, () => undefined)
  const log = createLog({ name: 'bench', level: 'silent' })
  const messages = createMessageLog({ db: speaker.db })
  const identify = (bytes: Uint8Array): Uint8Array => p.sha256(bytes)
  const sync = createSync(
    {
      libp2p: speaker.host.libp2p,
      bans: createBans({ db: speaker.db, clock: Date.now, log }),
      log,
      rate: { take: () => true },
      db: speaker.db,
      messages,
      ids: await openMessageIds({ p, db: speaker.db, messages, identify }),
      identify,
      accept: async bytes => {
        await messages.append(keyOf(bytes), bytes, [])
        return { verdict: 'accept' }
      }
    },
    { networkId: NETWORK, intervalMs: INTERVAL_MS }
  )
  return { ...speaker, messages, sync }
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(p.sha256(bytes)).toString('hex')
}

function textOf(_: unknown, i: number): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES)
  new DataView(bytes.buffer).setUint32(0, i)
  return bytes
}
