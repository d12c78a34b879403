import type { AgentProcess } from '#test/agent/world.ts'

/** Lets one agent ask another and be granted what it asks; gives the grant's id. */
export async function grantTo(
  patient: AgentProcess,
  clinician: AgentProcess,
  wish: readonly string[],
  choice: readonly string[] = []
): Promise<string> {
  const asked = await clinician.run('clinician', 'request', '--name', 'Dr. Ada Example', ...wish)
  const { text } = asked['code'] as { text: string }
  const given = await patient.run('patient', 'grant', '--to', text, ...choice)
  await clinician.run('clinician', 'claim', (given['answer'] as { text: string }).text)
  return String(given['grant'])
}
