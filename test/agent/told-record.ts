import type { AgentProcess } from '#test/agent/world.ts'

interface Entry {
  readonly header: string
  readonly compartment: string | null
  readonly code?: string | null
}

/** A patient's record as the agent tells it: by header, the part and the body, or why it does not open. */
export async function toldRecord(agent: AgentProcess): Promise<Map<string, string>> {
  const { entries } = await agent.client.get<{ entries: Entry[] }>('/v1/patient/entries')
  const found = new Map<string, string>()
  for (const { header, compartment, code } of entries) {
    const body = code ?? Buffer.from(await agent.client.bytes(`/v1/patient/entries/${header}/body`)).toString()
    found.set(header, `${compartment ?? ''}: ${body}`)
  }
  return found
}

/** Writes a text into a patient's record. */
export async function tell(agent: AgentProcess, text: string, compartment = 'documents'): Promise<void> {
  await agent.client.send(`/v1/patient/entries?compartment=${compartment}`, Buffer.from(text), 'text/plain')
}
