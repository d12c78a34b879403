/** `salus node status` and `salus node peers`. */
import type { Command } from 'commander'
import { nodeAccess, withAccessOptions, type AccessOptions } from '#node/cli/node-access.ts'
import { callNode } from '#node/http/client-call.ts'
import type { Peers, Status } from '#node/http/client-types.ts'

/** Exit code of a node that runs and does not serve yet. */
const NOT_READY = 3

/** Adds the commands. */
export function addNodeStatus(node: Command): void {
  withAccessOptions(
    node
      .command('status')
      .description('where the node stands')
      .addHelpText(
        'after',
        '\nExit code: 0 where it serves, 3 where it runs and does not serve yet, 1 where it does not answer.'
      )
  ).action(status)
  const peers = withAccessOptions(node.command('peers').description('the peers of a node, and what to do with them'))
    .option('--connect <multiaddr>', 'connect with a peer')
    .option('--disconnect <peer-id>', 'let go of a peer')
    .option('--ban <peer-id>', 'cut a peer off')
  peers.action(listPeers)
}

async function status(options: AccessOptions): Promise<void> {
  const access = await nodeAccess(options)
  const found = await callNode(access, 'GET /v1/status', {})
  const ready = await callNode(access, 'GET /readyz', {}).catch(() => ({ ok: false, waitingFor: ['chain'] }))
  console.log(options.json ? JSON.stringify({ url: access.url, ready, ...found }) : wordsOf(access.url, ready, found))
  if (!ready.ok) process.exitCode = NOT_READY
}

function wordsOf(url: string, ready: { ok: boolean; waitingFor: readonly string[] }, found: Status): string {
  const { chain } = found
  return [
    `${ready.ok ? 'serves' : `waits for ${ready.waitingFor.join(', ')}`} at ${url}, version ${found.version}`,
    `peer id    ${found.peerId}`,
    `listens    ${found.multiaddrs.join('\n           ') || 'nowhere'}`,
    `peers      ${String(found.peers)}`,
    `messages   ${String(found.messages)}; blobs still wanted: ${String(found.blobsWanted)}`,
    `chain      ${String(chain.chainId)}: ${chain.state}, block ${String(chain.blockNumber)} of ${String(chain.headNumber)}`,
    `relays     ${found.relays ? 'yes' : 'no'}`
  ].join('\n')
}

interface PeersOptions extends AccessOptions {
  readonly connect?: string
  readonly disconnect?: string
  readonly ban?: string
}

async function listPeers(options: PeersOptions): Promise<void> {
  const access = await nodeAccess(options)
  const { connect, disconnect, ban, json } = options
  if (connect != null) await callNode(access, 'POST /v1/peers', { body: { address: connect } })
  if (disconnect != null) await callNode(access, 'DELETE /v1/peers/{peerId}', { path: { peerId: disconnect } })
  if (ban != null) await callNode(access, 'POST /v1/peers/{peerId}/ban', { path: { peerId: ban } })
  const found = await callNode(access, 'GET /v1/peers', {})
  console.log(json ? JSON.stringify(found) : found.peers.map(lineOf).join('\n') || 'no peers')
}

function lineOf({ peerId, addresses, direction, encryption, gossips, sinceMs }: Peers['peers'][number]): string {
  const since = new Date(sinceMs).toISOString()
  return `${peerId} ${direction} since ${since} ${encryption} ${gossips ? 'gossips' : 'silent'} ${addresses.join(' ')}`
}
