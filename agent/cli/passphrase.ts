/** Where a command takes a passphrase from: a file, the environment, or the person at the terminal. Never an argument. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { SalusError } from '#core/error.ts'
import { secretIn } from '#agent/cli/command.ts'

/** Options of commands that take a passphrase. */
export interface PassphraseOptions {
  readonly passphraseFile?: string
}

/**
 * Reads a passphrase.
 *
 * @param question - what a person is asked
 * @throws SalusError `PASSPHRASE_ABSENT`
 */
export async function readPassphrase(
  { passphraseFile }: PassphraseOptions,
  question = 'Passphrase: ',
  variable = 'SALUS_PASSPHRASE'
): Promise<string> {
  const given = passphraseFile == null ? process.env[variable] : await secretIn(passphraseFile)
  if (given != null && given !== '') return given
  if (passphraseFile == null && process.stdin.isTTY) return ask(question)
  throw new SalusError('PASSPHRASE_ABSENT', `Give the passphrase by --passphrase-file, ${variable}, or at a terminal.`)
}

/** Reads a new passphrase; at a terminal, twice. */
export async function readNewPassphrase(options: PassphraseOptions, variable = 'SALUS_PASSPHRASE'): Promise<string> {
  const first = await readPassphrase(options, 'New passphrase: ', variable)
  const isTyped = options.passphraseFile == null && process.env[variable] == null
  if (isTyped && (await ask('Once more: ')) !== first) {
    throw new SalusError('PASSPHRASE_DIFFERS', 'The two were not the same; nothing was changed.')
  }
  return first
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
