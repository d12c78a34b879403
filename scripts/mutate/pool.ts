import { fork, type ChildProcess } from 'node:child_process'
import { cp, mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Failure, Trial, Verdict } from '#scripts/mutate/protocol.ts'
import { ROOT } from '#scripts/process/run.ts'

/** What a copy of the project needs for the contracts' tests to run in it. */
const COPIED = ['contracts', 'core', 'node', 'scripts', 'test', 'package.json', 'hardhat.config.ts']
/** Much longer than any compilation and all tests together. */
const TRIAL_TIMEOUT_MS = 900_000
/** What never comes to an end was noticed. */
const NO_END = 'time: no end within a quarter of an hour, or the process died'

/**
 * Tries mutants in several processes, each in a copy of the project of its own under `.cache`, so that no file of the
 * project itself is ever touched.
 *
 * @param on - what came of each, in the order in which they are decided
 */
export async function tryAll(
  trials: readonly Trial[],
  workers: number,
  on: { verdict(verdict: Verdict): Promise<void>; failure(id: string, error: string): void }
): Promise<void> {
  const waiting = [...trials]
  const work = async (place: number): Promise<void> => {
    const folder = await copyProject(place)
    let worker: ChildProcess | undefined
    try {
      for (let trial = waiting.shift(); trial != null; trial = waiting.shift()) {
        worker ??= await startWorker(folder)
        const answer = await tryOne(worker, trial)
        if (!('error' in answer) && answer.killer !== NO_END) {
          await on.verdict(answer)
          continue
        }
        // The next mutant gets a process that nothing has gone wrong in.
        stop(worker)
        worker = undefined
        if ('error' in answer) on.failure(trial.id, answer.error)
        else await on.verdict(answer)
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

function tryOne(worker: ChildProcess, trial: Trial): Promise<Verdict | Failure> {
  return new Promise(resolve => {
    const end = (answer?: Verdict | Failure): void => {
      clearTimeout(timer)
      worker.removeAllListeners('message')
      worker.removeAllListeners('exit')
      resolve(answer ?? { id: trial.id, outcome: 'killed', killer: NO_END })
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
