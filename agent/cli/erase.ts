/** `salus patient erase`: an entry gone everywhere, with the word of everybody who kept it. */
import { Option, type Command } from 'commander'
import { connect, print, withAgent } from '#agent/cli/command.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { utf8 } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { readCount } from '#node/cli/options.ts'
import { readIfThere, writeDurably } from '#node/store/durable-file.ts'

interface EraseOptions extends AgentOptions {
  readonly keepers?: readonly string[]
  readonly certificate: string
  readonly wait: number
}

interface Erasure {
  readonly erasure: string
  readonly attested: readonly { readonly peer: string; readonly had: number }[]
  readonly missing: readonly string[]
  readonly unreachable: readonly string[]
  readonly isComplete: boolean
}

/** Adds the command. */
export function addEraseCommand(patient: Command): void {
  withAgent(
    patient.command('erase [entry]').description('erase an entry for good; without one, ask again about a certificate')
  )
    .option('--keepers <urls...>', 'HTTP APIs of nodes that keep the record, besides the agent’s own')
    .requiredOption('--certificate <file>', 'where the erasure and what its keepers attest are kept')
    .addOption(new Option('--wait <seconds>', 'how long to wait for keepers').argParser(readCount).default(30))
    .action(erase)
}

async function erase(entry: string | undefined, options: EraseOptions): Promise<void> {
  const { keepers, certificate: file } = options
  const client = await connect(options)
  const named = entry == null ? { erasure: await erasureIn(file) } : { entry }
  const body = { ...named, keepers, waitMs: options.wait * 1000 }
  const answer = await client.post<Erasure>('/v1/patient/erasures', body)
  await writeDurably(file, utf8(`${JSON.stringify(answer, null, 2)}\n`))
  const { attested, missing, unreachable, isComplete } = answer
  print(options, answer, [
    ...attested.map(({ peer, had }) => `${peer} attests it; it had ${String(had)} of the entries.`),
    ...missing.map(peer => `${peer} has not attested it yet.`),
    ...unreachable.map(url => `${url === '' ? 'The agent’s own node' : url} does not answer.`),
    isComplete ? 'Every keeper that was asked has erased it.' : `Ask again: salus patient erase --certificate ${file}`
  ])
}

async function erasureIn(file: string): Promise<string> {
  const bytes = await readIfThere(file)
  const { erasure } = parse(bytes == null ? '' : new TextDecoder().decode(bytes))
  if (typeof erasure === 'string') return erasure
  throw new SalusError('ERASURE_CERTIFICATE', `${file} holds no certificate of an erasure.`)
}

function parse(text: string): { erasure?: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value != null ? value : {}
  } catch {
    return {}
  }
}
