/** The embedded development chain: anvil as a child process with interval mining and saved state (docs/decisions/0010). */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { SalusError } from '#core/error.ts'
import { anvilBinary } from '#node/chain/anvil-binary.ts'
import { createChainStateFile, type ChainStateFile } from '#node/chain/chain-state-file.ts'
import type { Log } from '#node/log.ts'
import { openDatabase, type Database } from '#node/store/database.ts'

/** Chain id of the embedded chain. */
export const DEV_CHAIN_ID = 31_337

/** What the embedded chain needs. */
export interface DevChainComponents {
  readonly log: Log
}

/** What it may be told. */
export interface DevChainInit {
  /** Folder of its state; made if it is not there. */
  readonly dataDir: string
  /** Port on 127.0.0.1; 0 lets the system choose. */
  readonly port: number
  /** Most time until it answers, 30 s unless told. */
  readonly startTimeoutMs?: number
  /** Called if the chain's process ends although nobody stopped it. */
  readonly onDeath?: (error: SalusError) => void
}

/** Where the running chain is. */
export interface DevChainAddress {
  readonly rpcUrl: string
  /** Of anvil's process. */
  readonly pid: number
}

/** A chain on this machine. */
export interface DevChain {
  /** @throws SalusError `CHAIN_NO_BINARY`, `CHAIN_STATE_DAMAGED`, `CHAIN_IN_USE`, `CHAIN_START_FAILED` */
  start(): Promise<DevChainAddress>
  /** Ends it; the state is on the disk when this resolves. */
  stop(): Promise<void>
}

const BLOCK_TIME_S = 1
const STATES_IN_MEMORY = 256
const PROTECT_EVERY_MS = 5_000
const STOP_GRACE_MS = 20_000

/** Makes an embedded chain; nothing runs before `start()`. */
export function createDevChain({ log }: DevChainComponents, init: DevChainInit): DevChain {
  const pidFile = join(init.dataDir, 'anvil.pid')
  const state = createChainStateFile(join(init.dataDir, 'chain.json'))
  let running: { child: ChildProcess; exited: Promise<void>; timer: NodeJS.Timeout; lock: Database } | undefined
  let stopping = false

  return {
    async start() {
      const binary = anvilBinary()
      await mkdir(init.dataDir, { recursive: true })
      const lock = await lockFolder(init.dataDir)
      let child: ChildProcess | undefined
      try {
        await endOrphan(pidFile, state.path)
        const { from, sizeBytes } = await state.restore()
        if (from === 'copy') log.warn('the saved chain was cut short; its last whole copy is used')
        child = spawn(binary, anvilArguments(init.port, state, sizeBytes), { stdio: ['ignore', 'pipe', 'pipe'] })
        const exited = new Promise<void>(resolve => child?.once('close', () => resolve()))
        const port = await listeningPort(child, init.startTimeoutMs ?? 30_000)
        await writeFile(pidFile, String(child.pid))
        const timer = setInterval(() => {
          state.protect().catch((error: unknown) => log.warn({ err: error }, 'the chain state could not be copied'))
        }, PROTECT_EVERY_MS)
        running = { child, exited, timer, lock }
        stopping = false
        child.once('close', code => {
          if (stopping) return
          const error = new SalusError('CHAIN_ENDED', `The embedded chain ended by itself (exit code ${String(code)}).`)
          log.error({ code: error.code }, error.message)
          init.onDeath?.(error)
        })
        const rpcUrl = `http://127.0.0.1:${String(port)}`
        log.info({ rpcUrl, resumed: from !== 'none' }, 'embedded chain runs')
        return { rpcUrl, pid: child.pid ?? 0 }
      } catch (error) {
        child?.kill('SIGKILL')
        await lock.close()
        throw error
      }
    },
    async stop() {
      if (running == null) return
      const { child, exited, timer, lock } = running
      running = undefined
      stopping = true
      clearInterval(timer)
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
      await exited
      clearTimeout(kill)
      await state.protect()
      await rm(pidFile, { force: true })
      await lock.close()
    }
  }
}

function anvilArguments(port: number, state: ChainStateFile, stateSizeBytes: number): string[] {
  // The whole file is rewritten each time: a large one less often.
  const stateIntervalS = Math.max(2, Math.ceil(stateSizeBytes / (4 << 20)))
  const flags: [string, string | number][] = [
    ['--host', '127.0.0.1'],
    ['--port', port],
    ['--chain-id', DEV_CHAIN_ID],
    ['--hardfork', 'osaka'],
    // Automine and mixed mining come to a standstill under bursts; interval mining does not.
    ['--block-time', BLOCK_TIME_S],
    ['--state', state.path],
    ['--state-interval', stateIntervalS],
    ['--prune-history', STATES_IN_MEMORY]
  ]
  return [...flags.flatMap(([flag, value]) => [flag, String(value)]), '--no-cors', '--enable-tx-gas-limit']
}

/** The port from anvil's "Listening on"; all it prints afterwards is thrown away. */
async function listeningPort(child: ChildProcess, timeoutMs: number): Promise<number> {
  const { stdout, stderr } = child
  if (stdout == null || stderr == null) throw new SalusError('CHAIN_START_FAILED', 'The embedded chain has no output.')
  let said = ''
  stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1_000)
  })
  const lines = createInterface({ input: stdout })
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<number>((resolve, reject) => {
      const fail = (why: string): void => {
        reject(new SalusError('CHAIN_START_FAILED', `The embedded chain ${why}. ${said.trim()}`))
      }
      timer = setTimeout(() => fail('did not answer in time'), timeoutMs)
      child.once('error', error => fail(`could not be started (${error.message})`))
      child.once('close', code => fail(`ended with exit code ${String(code)}; is its port in use?`))
      lines.on('line', line => {
        const port = /^Listening on .*:(\d+)$/.exec(line)?.[1]
        if (port != null) resolve(Number(port))
      })
    })
  } finally {
    clearTimeout(timer)
    lines.close()
    stdout.resume()
  }
}

/** LevelDB's own lock: the system frees it however the process ends. */
async function lockFolder(dataDir: string): Promise<Database> {
  try {
    return await openDatabase(join(dataDir, 'lock'))
  } catch (cause) {
    throw new SalusError('CHAIN_IN_USE', `Another process runs the chain in ${dataDir}; stop it or choose a folder.`, {
      cause
    })
  }
}

/** Ends the anvil that a killed process left behind, so that port and state are free again. */
async function endOrphan(pidFile: string, statePath: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
  if (!Number.isSafeInteger(pid) || pid <= 1) return
  for (let waitedMs = 0; waitedMs < STOP_GRACE_MS; waitedMs += 100) {
    if (!(await runsOver(pid, statePath))) break
    if (waitedMs === 0) process.kill(pid, 'SIGTERM')
    if (waitedMs === STOP_GRACE_MS / 2) process.kill(pid, 'SIGKILL')
    await pause(100)
  }
  await rm(pidFile, { force: true })
}

/** Whether the process still is the chain over this file: a process id alone may be another's by now. */
async function runsOver(pid: number, statePath: string): Promise<boolean> {
  const command = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0').includes(statePath)
}
