/** Hostile peers that are asked: they answer with forged pledges, drip by drip, or spoil what others write. */
import { setTimeout as pause } from 'node:timers/promises'
import { lpStream } from '@libp2p/utils'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { decodeMessage, encodeMessage } from '#core/network/envelope.ts'
import { blockHeader, MAX_BLOCK_BYTES } from '#core/network/range.ts'
import { encodePledgesAnswer, MAX_PLEDGES } from '#core/placement/pledge-exchange.ts'
import { MAX_PLEDGE_BYTES, MAX_PLEDGED_BYTES, signPledge } from '#core/placement/pledge.ts'
import { dayOf } from '#core/record/day.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { RANGE_PROTOCOL } from '#node/network/range-serve.ts'
import type { BenchPeer } from '#scripts/bench/exchange/peer.ts'
import { hand, ROUND_MS, type Attack } from '#scripts/soak/attack.ts'
import type { Swarm } from '#scripts/soak/swarm.ts'
import { osRandom } from '#scripts/story/people.ts'

const PLEDGE_PROTOCOL = '/salus/pledge/1'
/** Spoilt envelopes for each node: as many as cut a peer off, and one more. */
const SPOILT = 5
/** Time between two drips, ms, and how many come. */
const DRIP_MS = 500
const DRIPS = 6
/** A blob that is too large to travel in its message. */
const BLOB_BYTES = 200_000

/** What an honest author writes, with a slot that is not its own: whoever believes the header refuses the honest one later. */
export const spoil: Attack = async (swarm, { host }, { handIn, signal }) => {
  let blows = 0
  const honest = swarm.entry()
  const message = decodeMessage(honest, swarm.network)
  if (message.kind !== 'entry') return 0
  for (const { multiaddr } of swarm.nodes) {
    for (let i = 0; i < SPOILT && !signal.aborted; i++) {
      const slot = Uint8Array.from(message.slot)
      slot[slot.length - 1 - i] = (slot[slot.length - 1 - i] ?? 0) ^ 1
      await hand(host, multiaddr, encodeMessage({ ...message, slot }))
      blows++
    }
  }
  await handIn(honest)
  return blows
}

/** Waits to be asked who is there; see {@link servePledges}. */
export const pledge: Attack = async (swarm, _peer, { signal }) => {
  await pause(ROUND_MS, undefined, { signal }).catch(() => undefined)
  return swarm.nodes.length
}

/** Answers with pledges of peers that do not exist, and of ones that never signed them. */
export async function servePledges({ network }: Swarm, { host }: BenchPeer): Promise<void> {
  const run = osRandom(8)
  const invented = Array.from({ length: MAX_PLEDGES }, (_, i) => {
    if (i % 2 === 1) return osRandom(MAX_PLEDGE_BYTES)
    const seed = osRandom(32)
    const word = {
      ...{ network, peerKey: p.ed25519PublicKey(seed), bytes: MAX_PLEDGED_BYTES, sequence: Date.now() },
      validUntilS: Math.floor(Date.now() / 1_000) + 3_600,
      ...{ operator: '', region: '', addresses: [osRandom(8)] }
    }
    return signPledge(p, word, seed)
  })
  await host.libp2p.handle(PLEDGE_PROTOCOL, async stream => {
    const frames = lpStream(stream)
    await frames.read().catch(() => undefined)
    await frames.write(encodePledgesAnswer({ run, next: 1, pledges: invented })).catch(() => undefined)
  })
}

/** Has every node want a blob that only the attacker has; see {@link serveDrips}. */
export const drip: Attack = async ({ network, patient, nodes }, { host }, { signal }) => {
  const content = { type: 'text/plain', recordedAtMs: Date.now(), body: osRandom(BLOB_BYTES) }
  const sealed = sealAsPatient(p, osRandom, patient, { compartment: 'vitals', day: dayOf(Date.now()), content })
  const { headerBytes: header, slotBytes: slot } = sealed
  const { evidence } = patient
  const message = encodeMessage({ kind: 'entry', network, header, slot, evidence, blob: null })
  for (const { multiaddr } of nodes) await hand(host, multiaddr, message)
  await pause(DRIP_MS * DRIPS, undefined, { signal }).catch(() => undefined)
  return nodes.length
}

/** Begins a block of the largest size, and sends a byte of it now and then. */
export async function serveDrips(_swarm: Swarm, { exchange, host }: BenchPeer): Promise<void> {
  await exchange.stop()
  await host.libp2p.handle(RANGE_PROTOCOL, async stream => {
    const frames = lpStream(stream)
    await frames.read().catch(() => undefined)
    const isOpen = (): boolean => stream.status === 'open'
    if (isOpen()) stream.send(blockHeader(MAX_BLOCK_BYTES))
    for (let i = 0; i < DRIPS && isOpen(); i++) {
      await pause(DRIP_MS)
      if (isOpen()) stream.send(new Uint8Array(1))
    }
  })
}
