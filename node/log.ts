import { pino, type Logger, destination } from 'pino'

/** Structured logger: one JSON line per event, no personal data, no patient pseudonyms. */
export type Log = Logger

/** What a process may say about its log. */
export interface LogInit {
  /** Name of the process, for example `node`. */
  readonly name: string
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** Logs to standard error, so that standard output stays free for results. */
export function createLog({ name, level = 'info' }: LogInit): Log {
  return pino({ name, level, base: { name }, timestamp: () => `,"time":"${new Date().toISOString()}"` }, destination(2))
}
