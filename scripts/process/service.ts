import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { mkdirSync, openSync, closeSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { SalusError } from '#core/error.ts'
import { ROOT } from '#scripts/process/run.ts'

const COMMAND_LINE = join(ROOT, 'node/cli/main.ts')
const LAST_LOG_BYTES = 2000

/** A running `salus` process. */
export interface Service {
  readonly name: string
  readonly pid: number
  /** What it said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  readonly logFile: string
  /** Asks it to stop, and kills it where it has not stopped after `graceMs`. */
  stop(graceMs?: number): Promise<void>
  /** Settles when the process has ended, with its exit code (null where a signal ended it). */
  readonly ended: Promise<number | null>
}

/** What to start. */
export interface ServiceInit {
  readonly name: string
  /** Arguments of `salus`. */
  readonly args: readonly string[]
  /** Standard error goes to this file. */
  readonly logFile: string
  readonly readyTimeoutMs?: number
  /** Environment variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Each JSON line of standard output after `ready`. */
  readonly onLine?: (line: Readonly<Record<string, unknown>>) => void
}

/** Every child that runs, so that whoever is interrupted can end them all. */
const living = new Set<ChildProcess>()
let isClosing = false

/**
 * Starts `salus` in a process group of its own: a terminal's Ctrl-C then reaches this process alone, which ends its children in
 * the right order.
 */
function spawnCommand(args: readonly string[], options: SpawnOptions): ChildProcess {
  if (isClosing) throw new SalusError('SERVICE_STOPPING', 'Everything is being stopped; nothing new is started.')
  const child = spawn(process.execPath, [COMMAND_LINE, ...args], { ...options, detached: true })
  living.add(child)
  child.once('exit', () => living.delete(child))
  return child
}

/** Ends every child that still runs, and lets no new one start. */
export async function endEverything(): Promise<void> {
  isClosing = true
  await Promise.all([...living].map(async child => stopper(child, exitOf(child))()))
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode != null || child.signalCode != null) return child.exitCode
  return new Promise(resolve => child.once('exit', resolve))
}

function tail(logFile: string): string {
  return readFileSync(logFile, 'utf8').slice(-LAST_LOG_BYTES)
}

function readLine(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function stopper(child: ChildProcess, ended: Promise<number | null>) {
  return async (graceMs = 15_000): Promise<void> => {
    if (child.exitCode != null || child.signalCode != null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
  }
}

/**
 * Starts a `salus` process and waits for its `{"event":"ready"}` line.
 *
 * @throws SalusError `SERVICE_NOT_READY` if it ends or says nothing in time
 */
export async function startService({
  name,
  args,
  logFile,
  readyTimeoutMs = 60_000,
  env,
  onLine
}: ServiceInit): Promise<Service> {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'a')
  const child = spawnCommand(args, { stdio: ['ignore', 'pipe', log], env: { ...process.env, ...env } })
  closeSync(log)
  const ended = exitOf(child)
  const stop = stopper(child, ended)
  let timer: NodeJS.Timeout | undefined
  try {
    const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
      const fail = (why: string): void => {
        reject(new SalusError('SERVICE_NOT_READY', `${name} ${why}. The end of ${logFile}:\n${tail(logFile)}`))
      }
      timer = setTimeout(() => {
        fail(`was not ready after ${String(readyTimeoutMs / 1000)} s`)
      }, readyTimeoutMs)
      child.once('error', error => {
        fail(`could not be started (${error.message})`)
      })
      child.once('exit', code => {
        fail(`ended with exit code ${String(code)} before it was ready`)
      })
      if (child.stdout == null) return
      createInterface({ input: child.stdout }).on('line', text => {
        const line = readLine(text)
        if (line == null) return
        if (line['event'] === 'ready') resolve(line)
        else onLine?.(line)
      })
    })
    return { name, pid: child.pid ?? 0, ready, logFile, stop, ended }
  } catch (error) {
    await stop(1000)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** What a `salus` command printed. */
export interface CommandOutcome {
  readonly code: number
  /** The JSON lines of standard output. */
  readonly lines: readonly Readonly<Record<string, unknown>>[]
  readonly errorText: string
}

/** Runs a `salus` command to its end. */
export async function runCommand(args: readonly string[], timeoutMs = 120_000): Promise<CommandOutcome> {
  const child = spawnCommand(args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
  const lines: Record<string, unknown>[] = []
  let errorText = ''
  if (child.stdout != null) {
    createInterface({ input: child.stdout }).on('line', text => {
      const line = readLine(text)
      if (line != null) lines.push(line)
    })
  }
  child.stderr?.on('data', (chunk: Buffer) => {
    errorText = (errorText + chunk.toString()).slice(-20_000)
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      resolve(code ?? 1)
    })
  })
  return { code, lines, errorText }
}
