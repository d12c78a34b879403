/** Checks that every relative link in the documents leads to a file of the project. */
import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ROOT } from '#scripts/process/run.ts'

const LINK = /\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g
const CITED = /(?<![\w@./-])(?:docs|core|node|gateway|contracts|scripts|test)\/[\w./-]+\.(?:md|ts|sol|json|mjs|csv)\b/g

let broken = 0
for await (const file of glob(['*.md', 'contracts/*.md', 'docs/**/*.md', '{core,node,gateway,scripts,test}/**/*.ts'], {
  cwd: ROOT
})) {
  const text = await readFile(join(ROOT, file), 'utf8')
  const links = file.endsWith('.md') ? [...text.matchAll(LINK)].map(([, link]) => link ?? '') : []
  const relative = links.filter(link => !/^[a-z]+:/.test(link)).map(link => join(dirname(file), link))
  const cited = [...text.matchAll(CITED)].map(([path]) => path)
  for (const path of new Set([...relative, ...cited])) {
    if (existsSync(join(ROOT, path))) continue
    console.error(`${file}: ${path} does not exist`)
    broken++
  }
}
process.exitCode = broken === 0 ? 0 : 1
