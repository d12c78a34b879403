/** `npm start`: the whole network on one machine, and the story that shows what it does. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SalusError } from '#core/error.ts'
import { startService, type Service } from '#scripts/process/service.ts'
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
const LIVE_SECONDS = 24 * 3600

/** An empty folder: the one named, if it is free or was made by an earlier story, or a temporary one. */
async function emptyFolder(wanted: string | undefined): Promise<string> {
  if (wanted == null) return mkdtemp(join(tmpdir(), 'salus-story-'))
  if (existsSync(wanted)) {
    if (!existsSync(join(wanted, MARK))) {
      throw new SalusError('STORY_FOLDER', `${wanted} exists and is not of an earlier story; name another folder.`)
    }
    await rm(wanted, { recursive: true })
  }
  await mkdir(wanted, { recursive: true })
  await writeFile(join(wanted, MARK), '')
  return wanted
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

/** Settles when the person has had enough. */
async function interrupted(): Promise<void> {
  await new Promise<void>(done => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done())
  })
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      exit: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      replay: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    console.log(HELP)
    return true
  }
  const recording = values.replay == null ? SHIPPED_RECORDING : fromCaller(values.replay)
  if (!existsSync(recording)) throw new SalusError('STORY_RECORDING', `There is no recording ${recording}.`)
  const named = values.data == null ? undefined : fromCaller(values.data)
  const dataDir = await emptyFolder(named ?? (values.exit ? undefined : join(ROOT, '.salus', 'story')))
  const report = createStoryReport({ json: values.json })
  const started: Started = { nodes: [] }
  let monitor: Service | undefined
  try {
    const end = await playStory(report, { dataDir, recording }, started)
    if (values.exit) return report.allOk()
    monitor = await startMonitor(end)
    report.say(whatToTryNext(end))
    await interrupted()
    report.say('Stopping …')
    return true
  } catch (error) {
    console.error(error instanceof SalusError ? `${error.code}: ${error.message}` : error)
    console.error(`Everything that was written is in ${dataDir}, logs included.`)
    return false
  } finally {
    await monitor?.stop()
    await stopStory(started)
    if (named == null && values.exit && report.allOk()) await rm(dataDir, { recursive: true })
  }
}

process.exitCode = (await main()) ? 0 : 1
