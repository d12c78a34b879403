import { child, spanOf, type Span, type SyntaxNode } from '#scripts/solidity/syntax.ts'

/** A piece of code of which several versions can stand side by side, so that which one runs is decided later. */
export interface Place {
  /** What is replaced: a statement with its semicolon, or a condition. */
  readonly whole: Span
  /** What the versions differ in. */
  readonly inner: Span
  /** A condition stays an expression; anything else becomes a statement. */
  readonly isCondition: boolean
  /** Variables that are declared before the versions, and what each version is assigned to; empty without variables. */
  readonly declared: string
  readonly target: string
}

const CONDITIONED = ['IfStatement', 'WhileStatement', 'DoWhileStatement', 'ForStatement']
const SIMPLE = ['ExpressionStatement', 'EmitStatement', 'RevertStatement', 'Return']

/**
 * The smallest place around a change; none in a modifier's invocation, in a constant, or in the head of a loop.
 *
 * @param chain - the nodes around the change, the outermost first
 */
export function placeOf(chain: readonly SyntaxNode[], change: Span, source: Buffer): Place | undefined {
  for (let i = chain.length - 1; i > 0; i--) {
    const [node, parent] = [chain[i], chain[i - 1]]
    if (node == null || parent == null) return undefined
    const isHead = parent['loopExpression'] === node || parent['initializationExpression'] === node
    if (SIMPLE.includes(node.nodeType)) return isHead ? undefined : statement(node, change, source)
    if (node.nodeType === 'VariableDeclarationStatement') return isHead ? undefined : declaration(node, change, source)
    const condition = CONDITIONED.includes(node.nodeType) ? child(node, 'condition') : undefined
    if (condition == null || !holds(spanOf(condition), change)) continue
    const span = spanOf(condition)
    return { whole: span, inner: span, isCondition: true, declared: '', target: '' }
  }
  return undefined
}

function statement(node: SyntaxNode, change: Span, source: Buffer): Place | undefined {
  const [inner, whole] = [spanOf(node), withSemicolon(node, source)]
  if (whole == null || !holds(inner, change)) return undefined
  return { whole, inner, isCondition: false, declared: '', target: '' }
}

/** The variables are declared first, and each version assigned to them. */
function declaration(node: SyntaxNode, change: Span, source: Buffer): Place | undefined {
  const [initial, whole] = [child(node, 'initialValue'), withSemicolon(node, source)]
  if (whole == null || initial == null || !holds(spanOf(initial), change)) return undefined
  const variables = node['declarations'] as readonly (SyntaxNode | null)[]
  const declared = variables.map(one => (one == null ? '' : `${textOf(spanOf(one), source)}; `)).join('')
  const names = variables.map(one => (one == null ? '' : String(one['name']))).join(', ')
  const target = variables.length === 1 ? `${names} = ` : `(${names}) = `
  return { whole, inner: spanOf(initial), isCondition: false, declared, target }
}

function withSemicolon(node: SyntaxNode, source: Buffer): Span | undefined {
  const { start, end } = spanOf(node)
  const after = source.indexOf(';', end)
  if (after < 0 || textOf({ start: end, end: after }, source).trim() !== '') return undefined
  return { start, end: after + 1 }
}

function holds(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

function textOf({ start, end }: Span, source: Buffer): string {
  return source.subarray(start, end).toString()
}
