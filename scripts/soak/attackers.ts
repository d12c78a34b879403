/** Peers that do their worst: each an ordinary host whose owner means harm. */
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'
import { sealAsPatient } from '#core/agent/patient-entries.ts'
import { encodeMessage } from '#core/network/envelope.ts'
import { allTopics, topicOf } from '#core/network/topic.ts'
import { dayOf } from '#core/record/day.ts'
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { parseAddress } from '#node/network/supervisor.ts'
import { openBenchPeer, type BenchPeer } from '#scripts/bench/exchange/peer.ts'
import { hand, ROUND_MS, type Attack, type AttackInit } from '#scripts/soak/attack.ts'
import { drip, pledge, serveDrips, servePledges, spoil } from '#scripts/soak/asked-attackers.ts'
import type { Swarm } from '#scripts/soak/swarm.ts'
import { osRandom } from '#scripts/story/people.ts'

/** Identities that crowd around one node at a time. */
const CROWD = 12
/** Sockets and streams that are opened and left. */
const DAWDLERS = 16
const SHA2_256 = 0x12
/** Bytes of one piece of garbage; its length takes one byte. */
const GARBAGE_BYTES = 100

/** Bytes that no protocol expects, on every protocol. */
const garbage: Attack = async (swarm, { host }, { signal }) => {
  let blows = 0
  const endMs = performance.now() + ROUND_MS
  const { nodes } = swarm
  for (let turn = 0; performance.now() < endMs; turn++) {
    const { multiaddr } = nodes[turn % nodes.length] ?? { multiaddr: '' }
    for (const protocol of ['/meshsub/1.1.0', '/salus/sync/2', '/salus/have/1', '/salus/submit/1', '/nothing/1']) {
      if (signal.aborted) return blows
      const limit = AbortSignal.timeout(ROUND_MS)
      const address = parseAddress(multiaddr)
      const stream = await host.libp2p.dialProtocol(address, protocol, { signal: limit }).catch(() => undefined)
      for (let i = 0; i < 20 && stream?.status === 'open'; i++) {
        // Framed as it should be, so that it is read.
        stream.send(Uint8Array.of(GARBAGE_BYTES, ...osRandom(GARBAGE_BYTES)))
        blows++
      }
    }
  }
  return blows
}

/** What the nodes have, as gossip signed anew, and over the submit protocol. */
const replay: Attack = async ({ network, patient, nodes }, { host }, { known, signal }) => {
  let blows = 0
  const topic = topicOf(p, network, patient.state.patient)
  const endMs = performance.now() + ROUND_MS
  while (!signal.aborted && performance.now() < endMs) {
    for (const message of known) {
      await host.libp2p.services.pubsub.publish(topic, message).catch(() => undefined)
      const node = nodes[blows % nodes.length]
      if (node != null) await hand(host, node.multiaddr, message)
      blows++
    }
    await pause(5)
  }
  return blows
}

/** The same revision of one entry twice, with other words for every node: signed by the patient's own key. */
const equivocate: Attack = async ({ network, patient, nodes }, { host }, { signal }) => {
  let blows = 0
  const entry = osRandom(16)
  for (const { multiaddr } of nodes) {
    if (signal.aborted) return blows
    const content = { type: 'text/plain', recordedAtMs: Date.now(), body: osRandom(100) }
    const { headerBytes, slotBytes, blob } = sealAsPatient(p, osRandom, patient, {
      compartment: 'vitals',
      day: dayOf(Date.now()),
      entry,
      content
    })
    const { evidence } = patient
    const message = encodeMessage({ kind: 'entry', network, header: headerBytes, slot: slotBytes, evidence, blob })
    await hand(host, multiaddr, message)
    blows++
  }
  return blows
}

/** Blocks that do not exist, thousands at a time. */
const want: Attack = async (_swarm, { host }, { signal }) => {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ROUND_MS)])
  const wants = Array.from({ length: 2_000 }, async () => {
    const cid = CID.createV1(raw.code, create(SHA2_256, osRandom(32)))
    for await (const _ of host.helia.blockstore.get(cid, { signal: limit })) return
  })
  await Promise.allSettled(wants)
  return wants.length
}

/** Connections and streams on which nothing is said. */
const dawdle: Attack = async ({ nodes }, { host }, { signal }) => {
  const sockets: Socket[] = []
  const dialling: Promise<void>[] = []
  for (const { multiaddr } of nodes) {
    for (let i = 0; i < DAWDLERS; i++) {
      const socket = connect(Number(multiaddr.split('/')[4]), '127.0.0.1')
      socket.on('error', () => undefined)
      sockets.push(socket)
      const limit = AbortSignal.timeout(ROUND_MS)
      const opened = host.libp2p.dialProtocol(parseAddress(multiaddr), '/salus/sync/2', { signal: limit })
      // A length, and nothing after it.
      dialling.push(opened.then(stream => void stream.send(Uint8Array.of(0x80))).catch(() => undefined))
    }
  }
  await Promise.all(dialling)
  await pause(ROUND_MS, undefined, { signal }).catch(() => undefined)
  for (const socket of sockets) socket.destroy()
  return sockets.length + dialling.length
}

/** Many identities around one node, which take all they are given and pass nothing on. */
const crowd: Attack = async ({ nodes, network, dataDir }, _peer, { signal }) => {
  const [victim] = nodes
  const peers = await Promise.all(
    Array.from({ length: CROWD }, async (_, i) => {
      const folder = join(dataDir, `crowd-${String(performance.now())}-${String(i)}`)
      const peer = await openBenchPeer(folder, allTopics(network))
      for (const topic of allTopics(network)) peer.host.libp2p.services.pubsub.subscribe(topic)
      if (victim != null) await peer.host.libp2p.dial(parseAddress(victim.multiaddr)).catch(() => undefined)
      return peer
    })
  )
  await pause(ROUND_MS, undefined, { signal }).catch(() => undefined)
  for (const peer of peers) await peer.stop()
  return peers.length
}

const ATTACKS = { garbage, replay, equivocate, want, dawdle, crowd, spoil, pledge, drip } satisfies Record<
  string,
  Attack
>

/** What an attacker answers, set up before it connects. */
const SERVED: Readonly<Record<string, (swarm: Swarm, peer: BenchPeer) => Promise<void>>> = {
  pledge: servePledges,
  drip: serveDrips
}

/** Attacks that no honest peer can be taken for, often enough that whoever makes one is to be cut off. */
export const TO_BE_CUT_OFF: readonly string[] = ['garbage', 'spoil']

/** What the attackers did. */
export interface Dealt {
  /** Blows of each kind. */
  readonly blows: Record<string, number>
  /** The attack of each hostile peer, by its id. */
  readonly kinds: Map<string, string>
}

/** Nothing was done yet. */
export function nothingDealt(): Dealt {
  return { blows: Object.fromEntries(Object.keys(ATTACKS).map(name => [name, 0])), kinds: new Map() }
}

/** Attacks until the signal, and notes who dealt which blows. */
export async function attack(swarm: Swarm, init: AttackInit, dealt: Dealt): Promise<void> {
  const { blows } = dealt
  const kinds = Object.entries(ATTACKS)
  let turn = 0

  async function attacker(): Promise<void> {
    while (!init.signal.aborted) {
      const [name, strike] = kinds[turn % kinds.length] ?? ['garbage', garbage]
      const folder = join(swarm.dataDir, `attacker-${String(turn++)}`)
      const peer = await openBenchPeer(folder, allTopics(swarm.network))
      dealt.kinds.set(peer.host.peerId.toString(), name)
      try {
        await SERVED[name]?.(swarm, peer)
        for (const { multiaddr } of swarm.nodes) {
          await peer.host.libp2p.dial(parseAddress(multiaddr)).catch(() => undefined)
        }
        for (const topic of allTopics(swarm.network)) peer.host.libp2p.services.pubsub.subscribe(topic)
        blows[name] = (blows[name] ?? 0) + (await strike(swarm, peer, init))
      } finally {
        await peer.stop()
      }
    }
  }

  await Promise.all(Array.from({ length: init.count }, attacker))
}
