/** The parts of a node that run, and how they are stopped: the last one that was started first. */
import type { Log } from '#node/log.ts'

/** Something that runs with a node, such as the replication of firmware. */
export interface LiveService {
  start(): void | Promise<void>
  stop(): void | Promise<void>
}

/** Parts that run. */
export interface Parts {
  /** Starts a part and notes how to stop it. */
  run<T extends LiveService>(part: T): Promise<T>
  /** Notes how to stop what was opened. */
  onStop(stop: () => void | Promise<void>): void
  /** Stops all, whatever fails. */
  stopAll(): Promise<void>
}

/** @param refuse - asked before each start; throws where no further part is to be started */
export function createParts(log: Log, refuse: () => void): Parts {
  const running: (() => void | Promise<void>)[] = []
  return {
    async run(part) {
      refuse()
      running.push(async () => part.stop())
      await part.start()
      return part
    },
    onStop(stop) {
      running.push(stop)
    },
    async stopAll() {
      for (let stop = running.pop(); stop != null; stop = running.pop()) {
        try {
          await stop()
        } catch (error) {
          log.error({ err: error }, 'a part of the node did not stop cleanly')
        }
      }
    }
  }
}
