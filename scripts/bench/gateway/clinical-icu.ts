/**
 * How well NEWS2 tells who dies in hospital, on the stays of the PhysioNet/CinC Challenge 2012, by the definition of the gateway reference,
 * section 1.5: last value carried forward without an end, absent parameters add nothing.
 */
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { scoreOf } from '#core/clinical/score.ts'
import { milliOf, type VitalCode } from '#core/clinical/vital.ts'
import { NEWS2 } from '#core/clinical/packs/news2.ts'

/** Vital sign, and the values that are accepted of it. */
const PARAMETERS: Readonly<Record<string, readonly [VitalCode, number, number]>> = {
  HR: ['heartRate', 20, 300],
  RespRate: ['respiratoryRate', 3, 80],
  Temp: ['temperature', 25, 44],
  SysABP: ['systolic', 40, 300],
  NISysABP: ['systolic', 40, 300],
  SaO2: ['oxygenSaturation', 50, 100],
  GCS: ['comaScore', 3, 15]
}

/** What came of a set of stays. */
export interface IcuFigures {
  readonly stays: number
  readonly evaluations: number
  readonly rejected: number
  /** Parts of the evaluations at 5 and at 7 or more. */
  readonly fromFive: number
  readonly fromSeven: number
  /** Areas under the receiver operating characteristic, for the mean and for the greatest score of a stay. */
  readonly meanArea: number
  readonly maxArea: number
}

/** Scores every stay of `set-a.tar.gz`, one at a time. */
export async function scoreStays(folder: string): Promise<IcuFigures> {
  const died = await readOutcomes(`${folder}/Outcomes-a.txt`)
  const means: Ranked[] = []
  const greatest: Ranked[] = []
  const sums = { evaluations: 0, rejected: 0, five: 0, seven: 0 }
  for await (const { name, text } of tarFiles(`${folder}/set-a.tar.gz`)) {
    const { scores, rejected } = scoreStay(text)
    sums.rejected += rejected
    if (scores.length === 0) continue
    const isPositive = died.has(name.replace('.txt', ''))
    sums.evaluations += scores.length
    sums.five += scores.filter(each => each >= 5).length
    sums.seven += scores.filter(each => each >= 7).length
    means.push({ value: scores.reduce((sum, each) => sum + each, 0) / scores.length, isPositive })
    greatest.push({ value: Math.max(...scores), isPositive })
  }
  return {
    stays: means.length,
    evaluations: sums.evaluations,
    rejected: sums.rejected,
    fromFive: sums.five / sums.evaluations,
    fromSeven: sums.seven / sums.evaluations,
    meanArea: areaOf(means),
    maxArea: areaOf(greatest)
  }
}

async function readOutcomes(file: string): Promise<Set<string>> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n').slice(1)
  return new Set(lines.map(line => line.trim().split(',')).flatMap(cells => (cells[5] === '1' ? [cells[0] ?? ''] : [])))
}

/** A score for each distinct time from which on heart and respiratory rate are known. */
function scoreStay(text: string): { readonly scores: number[]; readonly rejected: number } {
  const values: Partial<Record<VitalCode, number>> = {}
  const scores: number[] = []
  let rejected = 0
  let lastTime: string | undefined
  const evaluate = (): void => {
    if (values.heartRate != null && values.respiratoryRate != null) scores.push(scoreOf(NEWS2, values, 1).total)
  }
  for (const line of text.split('\n').slice(1)) {
    const [time, name = '', cell = ''] = line.trim().split(',')
    if (time === '' || cell === '') continue
    if (lastTime != null && time !== lastTime) evaluate()
    lastTime = time
    const value = Number(cell)
    // -1 is missing; so is what else is below zero: 0 °F converted.
    if (value < 0) continue
    if (name === 'MechVent' && value === 1) values.oxygen = 1000
    if (name === 'FiO2') values.oxygen = value > 0.21 ? 1000 : 0
    const [vital, least = 0, most = 0] = PARAMETERS[name] ?? []
    if (vital == null) continue
    if (value < least || value > most) rejected++
    else values[vital] = milliOf(Math.round(value * 1e6), -6)
  }
  evaluate()
  return { scores, rejected }
}

interface Ranked {
  readonly value: number
  readonly isPositive: boolean
}

/** Area under the curve by ranks, ties averaged (Mann-Whitney). */
function areaOf(ranked: readonly Ranked[]): number {
  const sorted = [...ranked].sort((a, b) => a.value - b.value)
  let rankSum = 0
  for (let i = 0; i < sorted.length;) {
    let end = i
    while (end < sorted.length && sorted[end]?.value === sorted[i]?.value) end++
    const positives = sorted.slice(i, end).filter(each => each.isPositive).length
    rankSum += positives * ((i + 1 + end) / 2)
    i = end
  }
  const positives = sorted.filter(each => each.isPositive).length
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (sorted.length - positives))
}

const BLOCK = 512

/** The files of a gzipped tar archive, one at a time (POSIX ustar; nothing but plain files is looked at). */
async function* tarFiles(path: string): AsyncGenerator<{ readonly name: string; readonly text: string }> {
  let rest = Buffer.alloc(0)
  for await (const chunk of createReadStream(path).pipe(createGunzip()) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const size = Number.parseInt(rest.toString('latin1', 124, 136), 8) || 0
      const end = BLOCK + Math.ceil(size / BLOCK) * BLOCK
      if (rest.length < BLOCK || rest.length < end) break
      const name = rest.toString('latin1', 0, 100).replace(/\0.*$/s, '')
      if (name.endsWith('.txt')) yield { name, text: rest.toString('latin1', BLOCK, BLOCK + size) }
      rest = rest.subarray(end)
    }
  }
}
