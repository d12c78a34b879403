import { readFileSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import { id, Interface, type JsonFragment } from 'ethers'
import { accessManagerAbi } from '#core/abi/AccessManager.ts'
import { REQUEST_CONTRACTS } from '#core/chain/contract-names.ts'
import { ROLES, roleId } from '#core/chain/roles.ts'
import { FUNCTION_ROLES } from '#scripts/deploy/governance/functions.ts'

const CONTRACTS = new URL('../../../contracts/', import.meta.url)
const sources = new Map(
  readdirSync(CONTRACTS)
    .filter(file => file.endsWith('.sol'))
    .map(file => [
      file.slice(0, -'.sol'.length),
      readFileSync(new URL(file, CONTRACTS), 'utf8').replace(/\/\/.*$/gm, '')
    ])
)

/** A contract and those it inherits from, as far as they lie in contracts/. */
function withBases(name: string): string[] {
  const source = sources.get(name)
  if (source == null) return []
  const bases = new RegExp(`contract ${name} is ([^{]+)\\{`).exec(source)?.[1] ?? ''
  return [name, ...bases.split(',').flatMap(base => withBases(base.trim()))]
}

/** Names of the functions marked `restricted`, inherited ones too. */
function restrictedIn(name: string): string[] {
  const found = withBases(name).flatMap(base => [
    ...(sources.get(base) ?? '').matchAll(/function (\w+)\([^)]*\)[^{;]*\brestricted\b/g)
  ])
  return [...new Set(found.map(([, method]) => method ?? ''))].sort()
}

async function abiOf(name: string): Promise<Interface> {
  const module = (await import(`#core/abi/${name}.ts`)) as Record<string, readonly JsonFragment[]>
  return new Interface(module[`${name.charAt(0).toLowerCase()}${name.slice(1)}Abi`] ?? [])
}

describe('the table of who may call what', () => {
  for (const name of REQUEST_CONTRACTS) {
    it(`has a row for each restricted function of ${name}, and no other`, async () => {
      const abi = await abiOf(name)
      const signatures = restrictedIn(name).map(method => abi.getFunction(method)?.format() ?? method)
      expect(Object.keys(FUNCTION_ROLES[name] ?? {}).sort()).to.deep.equal(signatures)
    })
  }

  it('finds restricted functions where there are some', () => {
    expect(restrictedIn('AccessGrants')).to.include.members(['pause', 'unpause'])
  })

  it('never lets the role that stops things start them again', () => {
    for (const functions of Object.values(FUNCTION_ROLES)) {
      if (functions['pause()'] == null) continue
      expect(functions).to.include({ 'pause()': 'PAUSER', 'unpause()': 'GOVERNOR' })
    }
  })

  it('names functions of the manager that exist, but not the removal of a member', () => {
    const manager = new Interface(accessManagerAbi)
    for (const signature of Object.keys(FUNCTION_ROLES.AccessManager ?? {})) {
      expect(manager.getFunction(signature)?.format()).to.equal(signature)
    }
    expect(FUNCTION_ROLES.AccessManager).not.to.have.property('revokeRole(uint64,address)')
  })

  it('gives no two functions of a contract the same selector', () => {
    for (const functions of Object.values(FUNCTION_ROLES)) {
      const selectors = Object.keys(functions).map(signature => id(signature).slice(0, 10))
      expect(new Set(selectors).size).to.equal(selectors.length)
    }
  })

  it('numbers the roles in one order for ever', () => {
    expect(ROLES.map(role => [role, roleId(role)])).to.deep.equal([
      ['ADMIN', 0n],
      ['GOVERNOR', 1n],
      ['PAUSER', 2n],
      ['ACCREDITOR', 3n],
      ['REVIEWER', 4n],
      ['LEDGER_KEEPER', 5n],
      ['AUDITOR', 6n]
    ])
  })
})
