/**
 * Checks that every test that contracts/README.md names exists, and that every row of its tables of invariants and threats names one.
 * A test is cited as `file`: "title", "title": a file of test/contracts or test/solidity, or a path.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '#scripts/process/run.ts'

const PAGE = 'contracts/README.md'
const FILE = /`([\w./-]+\.(?:test\.ts|t\.sol))`/g
const CITATION = /`([\w./-]+\.(?:test\.ts|t\.sol))`: ("[^"]+"(?:, "[^"]+")*)/g
/** Sections whose tables need a test in each row. */
const COVERED = /^## (?:Invariants|Threats)$/
const HEAD_OR_RULE = 2

const problems: string[] = []

/** Where a cited file lies, or nothing. */
function find(name: string): string | undefined {
  const folders = name.includes('/') ? ['.'] : ['test/contracts', 'test/solidity']
  return folders.map(folder => join(ROOT, folder, name)).find(existsSync)
}

/** The titles of a file's tests, as its source has them. */
function titlesOf(path: string, text: string): Set<string> {
  const pattern = path.endsWith('.sol')
    ? /function ((?:test|invariant)\w*)\(/g
    : /\b(?:it|describe)\(\s*(?:'([^']+)'|`([^`]+)`|"([^"]+)")/g
  return new Set([...text.matchAll(pattern)].map(([, ...titles]) => titles.find(Boolean) ?? ''))
}

const page = await readFile(join(ROOT, PAGE), 'utf8')
const cited = [...page.matchAll(CITATION)]
if ([...page.matchAll(FILE)].length !== cited.length) problems.push('a test file is named without the title of a test')
for (const [, file = '', list = ''] of cited) {
  const path = find(file)
  if (path == null) {
    problems.push(`${file} does not exist`)
    continue
  }
  const titles = titlesOf(path, await readFile(path, 'utf8'))
  for (const [, title = ''] of list.matchAll(/"([^"]+)"/g))
    if (!titles.has(title)) problems.push(`${file} has no test "${title}"`)
}

let isCovered = false
let rowOfTable = 0
for (const line of page.split('\n')) {
  if (line.startsWith('## ')) isCovered = COVERED.test(line)
  rowOfTable = line.startsWith('|') ? rowOfTable + 1 : 0
  if (isCovered && rowOfTable > HEAD_OR_RULE && line.match(CITATION) == null) problems.push(`no test covers: ${line}`)
}
if (cited.length === 0) problems.push('no test is cited')
for (const problem of problems) console.error(`${PAGE}: ${problem}`)
process.exitCode = problems.length === 0 ? 0 : 1
