/** The ways in which the benchmark moves one file between two processes. */
import { connect } from 'node:net'
import { unixfs } from '@helia/unixfs'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { CID } from 'multiformats/cid'
import { BLOB_PROTOCOL, type BenchPeer } from '#scripts/bench/exchange/peer.ts'

/** What a way gives, piece by piece. */
export type Bytes = AsyncIterable<{ readonly byteLength: number }>

/** Where the serving process is reached. */
export interface Server {
  readonly address: Multiaddr
  /** Port that sends bytes to whoever connects. */
  readonly tcpPort: number
  readonly httpUrl: string
}

/** Files of one round: one that is fetched by our exchange, and as many as there are other ways that store it. */
export interface Files {
  readonly ours: CID
  readonly overNoise: CID
  readonly cat: CID
  readonly session: CID
}

/** Names of the ways. */
export const WAYS = ['fetch', 'stream', 'fetchNoise', 'streamNoise', 'session', 'cat', 'http', 'tcp'] as const
/** A way. */
export type Way = (typeof WAYS)[number]

/** Opens a file in every way. */
export function waysOf(
  client: BenchPeer,
  overNoise: BenchPeer,
  server: Server,
  files: Files,
  sizeBytes: number
): Record<Way, () => Bytes> {
  const limits = { maxBytes: 2 * sizeBytes }
  const { helia } = client.host
  return {
    fetch: () => client.exchange.fetch(files.ours, limits),
    stream: () => streamed(client.host.libp2p, server.address),
    fetchNoise: () => overNoise.exchange.fetch(files.overNoise, limits),
    streamNoise: () => streamed(overNoise.host.libp2p, server.address),
    session: () =>
      unixfs({
        ...helia,
        blockstore: helia.blockstore.createSession(files.session, { providers: [server.address] })
      }).cat(files.session),
    cat: () => client.host.unixfs.cat(files.cat),
    http: () => fetched(`${server.httpUrl}/ipfs/${files.ours.toString()}?format=car`),
    tcp: () => connect(server.tcpPort, '127.0.0.1') as AsyncIterable<Uint8Array>
  }
}

async function* fetched(url: string): Bytes {
  const { body } = await fetch(url)
  if (body != null) yield* body
}

/** What the server sends over a bare stream. */
async function* streamed(libp2p: Libp2p, server: Multiaddr): Bytes {
  const stream: Stream = await libp2p.dialProtocol(server, BLOB_PROTOCOL)
  const parts = stream[Symbol.asyncIterator]()
  // Reading begins before the server is asked: what comes, or ends, without a reader is lost.
  const first = parts.next()
  stream.send(new Uint8Array(1))
  for (let part = await first; part.done !== true; part = await parts.next()) yield part.value
}

/** A libp2p host that offers noise only, so that it is what a dial to us ends in. */
export async function noiseHost(): Promise<Libp2p> {
  return createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxReadBufferLength: 64 << 20 } })],
    services: { identify: identify() }
  })
}
