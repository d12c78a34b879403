import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONTRACT_NAMES } from '#core/chain/contract-names.ts'
import { constructorArguments } from '#scripts/deploy/constructors.ts'
import { ROOT } from '#scripts/process/run.ts'

/** What tests call a contract, beside its name. */
const CLIENTS: Record<string, string> = {
  AccessGrants: 'grants',
  CredentialRegistry: 'credentials',
  EmergencyAccess: 'emergencies',
  BatchAnchors: 'anchors',
  NodeRegistry: 'nodes',
  FirmwareRegistry: 'firmware',
  ConsentRegistry: 'consents',
  ReleaseRegistry: 'releases',
  PrivacyLedger: 'ledger',
  EscrowWarrant: 'warrants'
}
/** Helpers that name contracts, whichever a test is about. */
const SHARED = ['chain.ts', 'requests.ts', 'keys.ts', 'research-contracts.ts', 'instrumented.ts']
const IMPORT = /^import [^;]*?'#test\/contracts\/([^']+)'$/gm
const WORD = /[A-Za-z_]+/g

const texts = new Map<string, string>()

/**
 * Of test files, those that name a contract, or one that asks it; themselves, or a helper of theirs. What is named as the source
 * is comes first.
 *
 * @param source - path of the source that is changed
 */
export function suitesAbout(contract: string, source: string, files: readonly string[]): string[] {
  const names = [contract, ...CONTRACT_NAMES.filter(name => asks(name, contract))]
  const wanted = new Set(['CONTRACT_NAMES', ...names, ...names.map(name => CLIENTS[name] ?? name)])
  const likeness = (file: string): number => {
    const about = wordsOf(file.replace('.test.ts', '').split('-').join(' '))
    const shared = (name: string): number =>
      (name.match(/[A-Z][a-z]+/g) ?? []).filter(word => about.has(singular(word.toLowerCase()))).length
    return 2 * shared(source.replace(/^.*\//, '')) + shared(contract)
  }
  return files
    .filter(file => [...wordsIn(file)].some(word => wanted.has(word)))
    .sort((a, b) => likeness(b) - likeness(a))
}

/** Whether a contract is told another one's address when it is deployed. */
function asks(asking: string, asked: string): boolean {
  let isAsked = false
  const name = CONTRACT_NAMES.find(one => one === asking)
  if (name == null) return false
  constructorArguments(name, '', other => {
    isAsked ||= other === asked
    return ''
  })
  return isAsked
}

function wordsIn(file: string, seen = new Set<string>()): Set<string> {
  if (SHARED.includes(file) || file.startsWith('backends/') || seen.has(file)) return new Set()
  seen.add(file)
  const text = texts.get(file) ?? readFileSync(join(ROOT, 'test/contracts', file), 'utf8')
  texts.set(file, text)
  const words = new Set(text.match(WORD))
  for (const [, imported = ''] of text.matchAll(IMPORT)) for (const word of wordsIn(imported, seen)) words.add(word)
  return words
}

function wordsOf(text: string): Set<string> {
  return new Set(text.split(' ').map(singular))
}

function singular(word: string): string {
  return word.replace(/(ies|s)$/, ending => (ending === 'ies' ? 'y' : ''))
}
