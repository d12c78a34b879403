/** Checks that every error code thrown in the product stands in docs/errors.md, and that none stands there for nothing. */
import { readFile, glob } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '#scripts/process/run.ts'

const SOURCES = ['core/**/*.ts', 'node/**/*.ts', 'gateway/**/*.ts', 'agent/**/*.ts', 'scripts/**/*.ts']
/** `area: 'ENTRY'`, `AREA = 'ENTRY'`: the areas whose codes the canonical decoder and the field readers build. */
const AREA = /\b(?:area|AREA|[A-Z_]*AREA)\b\s*[:=]\s*'([A-Z][A-Z0-9_]*)'/g
/** A code written out: two words at least, in capitals, between quotes. */
const LITERAL = /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g
const DOCUMENTED = /^\| `([A-Z][A-Z0-9_]*)` \|/gm
const BUILT = ['OVERSIZE', 'TRUNCATED', 'DUPLICATE_KEY', 'TRAILING', 'MALFORMED', 'NOT_CANONICAL', 'SHAPE']

const mentioned = new Set<string>()
const thrown = new Set<string>()
const areas = new Set<string>()
for await (const file of glob(SOURCES, { cwd: ROOT })) {
  const text = await readFile(join(ROOT, file), 'utf8')
  for (const [, area] of text.matchAll(AREA)) if (area != null) areas.add(area)
  for (const [, code] of text.matchAll(LITERAL)) if (code != null) mentioned.add(code)
  for (const [, code] of text.matchAll(/new SalusError\(\s*'([A-Z0-9_]+)'/g)) if (code != null) thrown.add(code)
}
const built = new Set([...areas].flatMap(area => BUILT.map(problem => `${area}_${problem}`)))
const page = await readFile(join(ROOT, 'docs/errors.md'), 'utf8')
const documented = new Set([...page.matchAll(DOCUMENTED)].map(([, code]) => code ?? ''))
const family = [...page.matchAll(/^\| `([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)_\*` \|/gm)].map(([, area]) => area ?? '')

const missing = [...thrown].filter(code => !documented.has(code) && !(built.has(code) && family.includes(areaOf(code))))
const missingAreas = [...areas].filter(area => !family.includes(area))
const stale = [...documented].filter(code => !mentioned.has(code) && !built.has(code))

/** The area of a code that the canonical decoder builds. */
function areaOf(code: string): string {
  return [...areas].find(area => code.startsWith(`${area}_`)) ?? ''
}

for (const code of missing) console.error(`${code} is thrown but not explained in docs/errors.md`)
for (const area of missingAreas) console.error(`the codes ${area}_* of a decoder are not explained in docs/errors.md`)
for (const code of stale) console.error(`${code} is explained in docs/errors.md but no code throws it`)
process.exitCode = missing.length + missingAreas.length + stale.length === 0 ? 0 : 1
