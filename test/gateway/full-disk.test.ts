import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { openJournal } from '#gateway/journal.ts'

const CHILD = fileURLToPath(new URL('child-full-disk.ts', import.meta.url))

describe('gateway whose disk is full', function () {
  this.timeout(60_000)
  let directory: string

  before(function () {
    // The shell's limit on the size of files stands for the full disk.
    if (process.platform === 'win32') this.skip()
  })
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'salus-full-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  async function runLimited(what: string, path: string): Promise<{ code: number | null; said: unknown }> {
    const script = 'ulimit -f 16 && exec "$0" "$@"'
    const child = spawn('sh', ['-c', script, process.execPath, CHILD, what, path], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const closed = new Promise<number | null>(resolve => child.once('close', resolve))
    return { said: JSON.parse((await text(child.stdout)) || 'null') as unknown, code: await closed }
  }

  it('acknowledges no record of which the disk took a part or nothing', async () => {
    const path = join(directory, 'journal')
    const { said } = await runLimited('journal', path)
    const { acknowledged } = said as { acknowledged: number }
    const journal = await openJournal(path)
    await journal.close()
    expect(acknowledged).to.be.at.most(journal.records.length)
    expect(journal.records.length).to.be.within(1, 59)
  })

  it('ends with the reason instead of being torn down by it', async () => {
    expect(await runLimited('gateway', directory)).to.deep.equal({ code: 0, said: { code: 'JOURNAL_FAILED' } })
  })
})
