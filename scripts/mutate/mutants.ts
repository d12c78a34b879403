import { createHash } from 'node:crypto'
import { changesTo, type Change } from '#scripts/mutate/operators.ts'
import { placeOf, type Place } from '#scripts/mutate/places.ts'
import { lineAt, parseSolidity, spanOf, walk, type SyntaxNode } from '#scripts/solidity/syntax.ts'

/** One changed source. */
export interface Mutant {
  /** Stays the same when other lines of the source change. */
  readonly id: string
  /** Path of the source, relative to the project's folder. */
  readonly file: string
  readonly line: number
  /** Contract and function, `GrantTermsLib.uses`. */
  readonly where: string
  readonly operator: string
  /** The statement or declaration before and after, each on one line. */
  readonly before: string
  readonly after: string
  /** The whole source after the change. */
  readonly source: string
  /** What is changed, and the place around it where it can stand beside other mutants, if there is one. */
  readonly change: Change
  readonly place: Place | undefined
}

const PLACES = ['ContractDefinition', 'FunctionDefinition', 'ModifierDefinition']
/** The smallest of these around a change is what the report shows. */
const SHOWN = [
  'VariableDeclarationStatement',
  'ExpressionStatement',
  'EmitStatement',
  'RevertStatement',
  'Return',
  'VariableDeclaration',
  'IfStatement',
  'ForStatement',
  'WhileStatement'
]

/** Every mutant of one source. */
export function mutantsOf(file: string, content: string): Mutant[] {
  const bytes = Buffer.from(content)
  const textOf = (node: SyntaxNode): string => slice(bytes, spanOf(node))
  const seen = new Map<string, number>()
  const mutants: Mutant[] = []
  walk(parseSolidity(file, content), (node, around) => {
    for (const change of changesTo(node, around, textOf)) {
      const { start, end, operator, replacement } = change
      const chain = [...around, node]
      const where = chain
        .filter(({ nodeType }) => PLACES.includes(nodeType))
        .map(({ name, kind }) => String(name === '' ? kind : name))
        .join('.')
      const shown = spanOf(chain.findLast(({ nodeType }) => SHOWN.includes(nodeType)) ?? node)
      const [from, to] = [Math.min(shown.start, start), Math.max(shown.end, end)]
      const before = oneLine(slice(bytes, { start: from, end: to }))
      const after = oneLine(
        slice(bytes, { start: from, end: start }) + replacement + slice(bytes, { start: end, end: to })
      )
      const identity = [file, where, operator, before, after].join('\n')
      const repeated = seen.get(identity) ?? 0
      seen.set(identity, repeated + 1)
      const id = createHash('sha256')
        .update(`${identity}\n${String(repeated)}`)
        .digest('hex')
        .slice(0, 10)
      const source = bytes.subarray(0, start).toString() + replacement + bytes.subarray(end).toString()
      const place = placeOf(chain, change, bytes)
      mutants.push({ id, file, line: lineAt(bytes, start), where, operator, before, after, source, change, place })
    }
  })
  return mutants
}

/** `count` of them, the same ones for the same seed. */
export function sampleOf(mutants: readonly Mutant[], count: number, seed: string): Mutant[] {
  const rank = ({ id }: Mutant): string => createHash('sha256').update(`${seed}\n${id}`).digest('hex')
  const chosen = new Set([...mutants].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count))
  return mutants.filter(mutant => chosen.has(mutant))
}

function slice(bytes: Buffer, { start, end }: { start: number; end: number }): string {
  return bytes.subarray(start, end).toString()
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
