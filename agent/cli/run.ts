/** `salus agent run`: puts the agent's world together from what this computer has. */
import { randomBytes } from 'node:crypto'
import { createChainFacts } from '#agent/chain/chain-facts.ts'
import { defaultHome, register, unregister } from '#agent/cli/locate.ts'
import { createDaemon, type DaemonInit } from '#agent/daemon.ts'
import { SalusError } from '#core/error.ts'
import { createProvider } from '#node/chain/chain-rpc.ts'
import { loadDeployment } from '#node/chain/deployment-file.ts'
import { runUntilSignal } from '#node/cli/signals.ts'
import { nativePrimitives } from '#node/crypto/native.ts'
import { nativeStretch } from '#node/crypto/native-scrypt.ts'
import { createNodeClient } from '#node/http/client.ts'
import { createLog } from '#node/log.ts'
import { VERSION } from '#node/version.ts'

/** What the command line says. */
export interface RunOptions {
  readonly home?: string
  readonly node: string
  readonly replica?: readonly string[]
  readonly rpc: string
  readonly deployment: string
  readonly listen: string
  readonly shareListen?: string
  readonly shareUrl?: string
  readonly autoLock: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/**
 * Runs an agent until a signal ends it.
 *
 * @throws SalusError `AGENT_LISTEN`, `DEPLOYMENT_*`, and what the daemon fails to start with
 */
export async function runAgent(options: RunOptions): Promise<void> {
  const { home = defaultHome(), node: nodeUrl, autoLock: autoLockS } = options
  const log = createLog({ name: 'agent', level: options.logLevel })
  const { host, port } = readListen(options.listen)
  const deployment = await loadDeployment(options.deployment)
  const provider = createProvider(options.rpc, deployment.chainId)
  try {
    const daemon = createDaemon(
      {
        p: nativePrimitives,
        random: length => new Uint8Array(randomBytes(length)),
        clock: () => Date.now(),
        stretch: nativeStretch,
        log,
        deployment,
        node: createNodeClient({ url: nodeUrl }),
        chain: createChainFacts(provider, deployment)
      },
      {
        ...{ home, host, port, autoLockS, nodeUrl, version: VERSION, ...shareOf(options) },
        replicas: (options.replica ?? []).map(url => ({ url, client: createNodeClient({ url, timeoutMs: 5_000 }) }))
      }
    )
    let noted: string | undefined
    await runUntilSignal(() => ({
      start: async () => {
        const ready = await daemon.start()
        noted = ready.url
        await register(ready.url, home)
        return { ...ready }
      },
      stop: async () => {
        if (noted != null) await unregister(noted)
        await daemon.stop()
      }
    }))
  } finally {
    provider.destroy()
  }
}

/** Where links are served: an address to listen at, and the one that others reach it by. */
function shareOf({ shareListen, shareUrl }: RunOptions): Pick<DaemonInit, 'share'> {
  if (shareListen == null && shareUrl == null) return {}
  const [, host, port] = /^([^\s:]+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(shareListen ?? '') ?? []
  // A link has at most 128 characters, of which 48 are its own.
  const isUrl = /^https?:\/\/[^\s?#]{1,64}$/.test(shareUrl ?? '')
  if (host == null || Number(port) > 65_535 || shareUrl == null || !isUrl) {
    throw new SalusError('AGENT_SHARE', '--share-listen takes HOST:PORT, and --share-url the address that others use.')
  }
  return { share: { host: host.replaceAll(/[[\]]/g, ''), port: Number(port), url: shareUrl } }
}

/** The keys of a person answer to that person's own computer, whatever its owner would like. */
function readListen(text: string): { host: string; port: number } {
  const [, host, port] = /^(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})$/.exec(text) ?? []
  if (host == null || Number(port) > 65_535) {
    throw new SalusError('AGENT_LISTEN', '--listen takes 127.0.0.1:PORT: an agent answers on its own computer only.')
  }
  return { host: host.replaceAll(/[[\]]/g, ''), port: Number(port) }
}
