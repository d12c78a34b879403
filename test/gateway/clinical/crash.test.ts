import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const CHILD = fileURLToPath(new URL('child-monitor.ts', import.meta.url))

/** What a bedside says until it ends, or kills itself at an alert. */
async function live(directory: string, killAfter: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, directory, String(killAfter)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line)
  return lines
}

describe('monitor that is killed', () => {
  it('comes to the same alerts and the same state as one that is not', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'salus-monitor-'))
    try {
      const whole = await live(await mkdtemp(join(directory, 'whole-')), 0)
      expect(whole.length).to.be.greaterThan(20)
      const killed = await mkdtemp(join(directory, 'killed-'))
      const said: string[] = []
      for (const killAfter of [3, 7, 16, 0]) {
        const lines = await live(killed, killAfter)
        expect(lines.some(line => line.startsWith('end'))).to.equal(killAfter === 0)
        said.push(...lines)
      }
      expect([...new Set(said)]).to.deep.equal(whole)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
