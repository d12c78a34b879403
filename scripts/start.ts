/** `npm start`: the whole network on one machine, and the story that shows what it does. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SalusError } from '#core/error.ts'
import { endEverything, startService, type Service } from '#scripts/process/service.ts'
import { ROOT } from '#scripts/process/run.ts'
import { repeated } from '#scripts/story/recording-parts.ts'
import { createStoryReport } from '#scripts/story/report.ts'
import { playStory, SHIPPED_RECORDING, stopStory, type Started, type StoryEnd } from '#scripts/story/story.ts'
import { whatToTryNext } from '#scripts/story/what-to-try.ts'

const HELP = `Usage: npm start [-- OPTIONS]

Starts a development chain, three nodes and a gateway, plays the story of a patient, a doctor, a nurse, a maker and
two devices, and leaves the network running until Ctrl-C.

  --exit          play the story once and stop; exit code 0 only if every step held
  --json          one JSON line {"step","ok","ms"} per step instead of words
  --replay FILE   replay this recording instead of the synthetic one (CSV: Time [s], HR, PULSE, RESP, SpO2)
  --data DIR      where to keep everything (default: .salus/story, or a temporary folder with --exit); replaced at each start
  --help          this text`

const MARK = 'salus-story'
const USAGE = 2
const INTERRUPTED = 130
const LIVE_SECONDS = 24 * 3600

/** An empty folder: the one named, if it is free or was made by an earlier story, or a temporary one. */
async function emptyFolder(wanted: string | undefined): Promise<string> {
  if (wanted == null) return mkdtemp(join(tmpdir(), 'salus-story-'))
  if (existsSync(wanted)) {
    if (!existsSync(join(wanted, MARK))) {
      throw new SalusError('STORY_FOLDER', `${wanted} exists and is not of an earlier story; name another folder.`)
    }
    if (isAlive(Number(await readFile(join(wanted, MARK), 'utf8')))) {
      throw new SalusError('STORY_RUNNING', `A network runs on ${wanted}; stop it first, or name another folder.`)
    }
    await rm(wanted, { recursive: true })
  }
  await mkdir(wanted, { recursive: true })
  await writeFile(join(wanted, MARK), String(process.pid))
  return wanted
}

/** Whether a process of that number runs. */
function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Where the person called from, for the files they name. */
function fromCaller(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path)
}

/** Keeps the bedside monitor running, in real time. */
async function startMonitor(end: StoryEnd): Promise<Service> {
  const { bedside, stage } = end
  const recording = join(stage.dataDir, 'endless.csv')
  await writeFile(recording, repeated(await readFile(bedside.recording, 'utf8'), LIVE_SECONDS))
  return startService({
    name: 'gateway',
    args: ['gateway', 'run', ...end.gatewayArgs(recording), '--json'],
    logFile: join(stage.dataDir, 'logs', 'gateway.log')
  })
}

/** Resolves at the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
async function interruption(): Promise<'interrupted'> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'))
  })
}

interface StartOptions {
  readonly exit: boolean
  readonly json: boolean
  readonly replay: string | undefined
  readonly data: string | undefined
}

/** Plays, and leaves the network running where that is wanted; resolves to the exit code. */
async function start({ exit, json, replay, data }: StartOptions): Promise<number> {
  const recording = replay == null ? SHIPPED_RECORDING : fromCaller(replay)
  if (!existsSync(recording)) throw new SalusError('STORY_RECORDING', `There is no recording ${recording}.`)
  const named = data == null ? undefined : fromCaller(data)
  const dataDir = await emptyFolder(named ?? (exit ? undefined : join(ROOT, '.salus', 'story')))
  const report = createStoryReport({ json })
  const started: Started = { nodes: [] }
  const interrupted = interruption()
  let monitor: Service | undefined
  try {
    const playing = playStory(report, { dataDir, recording }, started)
    const end = await Promise.race([playing, interrupted])
    if (end === 'interrupted') {
      report.say('\nStopping …')
      await endEverything()
      // What was under way has failed with its processes; that is no news.
      await playing.catch(() => undefined)
      return INTERRUPTED
    }
    if (exit) return 0
    monitor = await startMonitor(end)
    report.say(whatToTryNext(end))
    await interrupted
    report.say('Stopping …')
    return 0
  } catch (error) {
    console.error(error instanceof SalusError ? `${error.code}: ${error.message}` : error)
    console.error(`Everything that was written is in ${dataDir}, logs included.`)
    return 1
  } finally {
    await monitor?.stop()
    await stopStory(started)
    if (named == null && exit && report.allOk()) await rm(dataDir, { recursive: true })
  }
}

async function main(): Promise<number> {
  let values
  try {
    ;({ values } = parseArgs({
      options: {
        exit: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        replay: { type: 'string' },
        data: { type: 'string' },
        help: { type: 'boolean', default: false }
      }
    }))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return USAGE
  }
  if (values.help) {
    console.log(HELP)
    return 0
  }
  try {
    return await start({ ...values, replay: values.replay, data: values.data })
  } catch (error) {
    if (!(error instanceof SalusError)) throw error
    console.error(`${error.code}: ${error.message}`)
    return 1
  }
}

process.exitCode = await main()
