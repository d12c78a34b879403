import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { runNode, type Outcome } from '#scripts/process/run.ts'
import { referenceData } from '#test/reference-data.ts'

const STEPS = [
  ...['chain', 'contracts', 'nodes', 'patient', 'clinicians', 'grant', 'note', 'gateway', 'replay', 'read', 'nurse'],
  ...['forgery', 'proof', 'bit-flips', 'revoke', 'after-revocation', 'maker', 'publish', 'device', 'second-device'],
  ...['restart', 'plaintext']
]

interface StepLine {
  readonly step: string
  readonly ok: boolean
  readonly ms: number
}

function stepsOf({ output }: Outcome): StepLine[] {
  return output
    .split('\n')
    .filter(line => line.startsWith('{"step"'))
    .map(line => JSON.parse(line) as StepLine)
}

describe('npm start -- --exit --json', function () {
  this.timeout(300_000)

  it('plays the story on the shipped recording, and every step holds', async () => {
    const outcome = await runNode(['scripts/start.ts', '--exit', '--json'])
    expect(outcome.code, outcome.output).to.equal(0)
    const steps = stepsOf(outcome)
    expect(steps.map(({ step }) => step)).to.deep.equal(STEPS)
    expect(steps.every(({ ok, ms }) => ok && ms >= 0)).to.equal(true)
  })

  it('plays it on a recording of a real patient', async function () {
    const recording = join(referenceData(this, 'gateway/bidmc'), 'bidmc_01_Numerics.csv')
    const outcome = await runNode(['scripts/start.ts', '--exit', '--json', '--replay', recording])
    expect(outcome.code, outcome.output).to.equal(0)
    expect(stepsOf(outcome)).to.have.length(STEPS.length)
  })

  it('fails with the step that does not hold, and says where to look', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'salus-start-'))
    try {
      const recording = join(import.meta.dirname, 'start.test.ts')
      const dataDir = join(folder, 'story')
      const outcome = await runNode(['scripts/start.ts', '--exit', '--json', '--replay', recording, '--data', dataDir])
      expect(outcome.code).to.equal(1)
      expect(stepsOf(outcome).at(-1)).to.include({ step: 'replay', ok: false })
      expect(outcome.output).to.contain(dataDir)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('refuses a folder that it did not make, and a recording that is not there', async () => {
    const folder = await runNode(['scripts/start.ts', '--exit', '--data', import.meta.dirname])
    expect(folder.code).to.equal(1)
    expect(folder.output).to.contain('STORY_FOLDER')
    const recording = await runNode(['scripts/start.ts', '--exit', '--replay', 'no-such-file.csv'])
    expect(recording.code).to.equal(1)
    expect(recording.output).to.contain('STORY_RECORDING')
  })
})
