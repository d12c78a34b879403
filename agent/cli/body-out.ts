/** Hands the body of an entry to whoever asked: into a file, or to standard output as it is. */
import type { AgentClient } from '#agent/cli/client.ts'
import { print } from '#agent/cli/command.ts'
import type { AgentOptions } from '#agent/cli/locate.ts'
import { writeDurably } from '#node/store/durable-file.ts'

/** Fetches the body below a path of the local API, and writes it. */
export async function writeBody(
  client: AgentClient,
  path: string,
  options: AgentOptions & { readonly out?: string }
): Promise<void> {
  const body = await client.bytes(`${path}/body`)
  if (options.out == null) {
    process.stdout.write(body)
    return
  }
  await writeDurably(options.out, body)
  print(options, { out: options.out, bytes: body.length }, `${String(body.length)} bytes in ${options.out}.`)
}
