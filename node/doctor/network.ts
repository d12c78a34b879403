/** Whether the node can be reached and reaches its peers. */
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { isSalusError } from '#core/error.ts'
import { fail, ok, warn, type Finding } from '#node/doctor/finding.ts'
import { callNode, type NodeClientInit } from '#node/http/client-call.ts'
import { parseAddress } from '#node/network/supervisor.ts'

const TIMEOUT_MS = 3_000
/** Peers in configuration that are tried. */
const MAX_TRIED = 16

/** A place of TCP. */
interface Place {
  readonly host: string
  readonly port: number
}

/** Whether what the node will listen on is free. */
export async function checkPorts(places: readonly (Place & { readonly what: string })[]): Promise<readonly Finding[]> {
  return Promise.all(
    places.map(async ({ what, host, port }) => {
      const check = `port for ${what}`
      if (port === 0) return ok(check, 'The system will choose one.')
      const code = await tryListen(host, port)
      if (code == null) return ok(check, `${host}:${String(port)} is free.`)
      if (code === 'EADDRINUSE')
        return fail(check, `${host}:${String(port)} is in use.`, `Find who has it: ss -ltnp | grep ${String(port)}`)
      if (code === 'EACCES')
        return fail(
          check,
          `This account may not listen on ${String(port)}.`,
          'Use a port above 1023, or a proxy before it.'
        )
      return fail(check, `${host} is no address of this machine (${code}).`, 'Correct the address, or use 0.0.0.0.')
    })
  )
}

/** Whether configured peers can be reached at all. */
export async function checkPeers(addresses: readonly string[]): Promise<readonly Finding[]> {
  if (addresses.length === 0) return [ok('peers', 'None are configured; the node waits for others, or for --mdns.')]
  const tried = await Promise.all(addresses.slice(0, MAX_TRIED).map(checkPeer))
  return tried
}

async function checkPeer(address: string, index: number): Promise<Finding> {
  const check = `peer ${String(index + 1)}`
  let place: Place
  try {
    place = placeOf(address)
  } catch (error) {
    return fail(check, isSalusError(error) ? error.message : 'Its address has no TCP port.', 'Correct network.peers.')
  }
  return (await reaches(place))
    ? ok(check, 'Something listens there.')
    : warn(
        check,
        `Nothing listens at ${place.host}:${String(place.port)}.`,
        'Ask its operator; check firewalls on both sides.'
      )
}

/** What a running node says of itself. */
export async function checkRunning(access: NodeClientInit, expectsPeers: boolean): Promise<readonly Finding[]> {
  try {
    const status = await callNode(access, 'GET /v1/status', { timeoutMs: TIMEOUT_MS })
    const { state, blockNumber, headNumber } = status.chain
    const says = `It ${state === 'following' ? 'follows' : `is ${state} on`} the chain at block ${String(blockNumber)} of ${String(headNumber)}.`
    return [
      state === 'waiting' ? fail('running node', says, 'See the findings about endpoints.') : ok('running node', says),
      expectsPeers && status.peers === 0
        ? fail(
            'connected peers',
            'It has no peer.',
            'See the findings about peers; entries stay here until one is found.'
          )
        : ok('connected peers', `It has ${String(status.peers)}.`)
    ]
  } catch (error) {
    const says = isSalusError(error) ? error.message : 'It does not answer.'
    return [fail('running node', says, 'Its log says why; a busy loop shows in salus_process_event_loop_lag_seconds.')]
  }
}

/** Where a multiaddress with TCP leads. */
export function placeOf(address: string): Place {
  const parts = parseAddress(address).getComponents()
  const valueOf = (...names: string[]): string => parts.find(({ name }) => names.includes(name))?.value ?? ''
  const [host, port] = [valueOf('ip4', 'ip6', 'dns', 'dns4', 'dns6'), valueOf('tcp')]
  if (host === '' || port === '') throw new TypeError('no TCP')
  return { host, port: Number(port) }
}

async function tryListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

async function reaches({ host, port }: Place): Promise<boolean> {
  const socket = connect({ host, port })
  const connected = new Promise<boolean>(resolve => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  const stop = new AbortController()
  const late = pause(TIMEOUT_MS, false, { signal: stop.signal }).catch(() => false)
  const isThere = await Promise.race([connected, late])
  stop.abort()
  socket.destroy()
  return isThere
}
