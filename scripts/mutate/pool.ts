import { fork, type ChildProcess } from 'node:child_process'
import { cp, mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Failure, Trial, Verdict } from '#scripts/mutate/protocol.ts'
import { ROOT } from '#scripts/process/run.ts'

/** What a copy of the project needs for the contracts' tests to run in it. */
const COPIED = ['contracts', 'core', 'node', 'scripts', 'test', 'package.json', 'hardhat.config.ts']
/** Much longer than any compilation and all tests together. */
const TRIAL_TIMEOUT_MS = 900_000

/**
 * Tries mutants in several processes, each in a copy of the project of its own under `.cache`, so that no file of the
 * project itself is ever touched.
 *
 * @param onVerdict - called for each, in the order in which they are decided
 */
export async function tryAll(
  trials: readonly Trial[],
  workers: number,
  onVerdict: (verdict: Verdict) => Promise<void>
): Promise<void> {
  const waiting = [...trials]
  const work = async (place: number): Promise<void> => {
    const folder = await copyProject(place)
    let worker: ChildProcess | undefined
    try {
      for (let trial = waiting.shift(); trial != null; trial = waiting.shift()) {
        worker ??= await startWorker(folder)
        const verdict = await tryOne(worker, trial)
        // What never comes to an end was noticed; the next mutant gets a new process.
        if (verdict == null) {
          stop(worker)
          worker = undefined
        }
        await onVerdict(
          verdict ?? {
            id: trial.id,
            outcome: 'killed',
            killer: 'time: no end within a quarter of an hour, or the process died'
          }
        )
      }
    } finally {
      stop(worker)
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, trials.length) }, (_none, place) => work(place)))
}

async function copyProject(place: number): Promise<string> {
  const folder = join(ROOT, '.cache/mutate', String(place))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

async function startWorker(folder: string): Promise<ChildProcess> {
  const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: '1', SALUS_MUTANTS: '1' }
  // What .mocharc.json has mocha load before the tests.
  const execArgv = ['--import', './test/setup.ts']
  const worker = fork(join(folder, 'scripts/mutate/worker.ts'), { cwd: folder, env, execArgv })
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      resolve()
    })
    worker.once('exit', () => {
      reject(new Error('the process that tries mutants does not start; see above'))
    })
  })
  worker.removeAllListeners('exit')
  return worker
}

/** The verdict; none if there was no end, or the process died of it. */
function tryOne(worker: ChildProcess, trial: Trial): Promise<Verdict | undefined> {
  return new Promise((resolve, reject) => {
    const end = (answer?: Verdict | Failure): void => {
      clearTimeout(timer)
      worker.removeAllListeners('message')
      worker.removeAllListeners('exit')
      if (answer != null && 'error' in answer) reject(new Error(`mutant ${trial.id}: ${answer.error}`))
      else resolve(answer)
    }
    const timer = setTimeout(end, TRIAL_TIMEOUT_MS)
    worker.once('message', answer => {
      end(answer as Verdict | Failure)
    })
    worker.once('exit', () => {
      end()
    })
    worker.send(trial)
  })
}

function stop(worker: ChildProcess | undefined): void {
  worker?.removeAllListeners()
  worker?.kill('SIGKILL')
}
