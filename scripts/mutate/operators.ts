import { child, spanOf, type Span, type SyntaxNode } from '#scripts/solidity/syntax.ts'

/** One small change to a source. */
export interface Change extends Span {
  /** Kind of change, for the report. */
  readonly operator: string
  /** What stands in the place of the span. */
  readonly replacement: string
}

/** Reads a node's text. */
export type TextOf = (node: SyntaxNode) => string

const SWAPPED: Record<string, string> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&': '|',
  '|': '&',
  '^': '&',
  '&&': '||',
  '||': '&&',
  '<<': '>>',
  '>>': '<<',
  '+=': '-=',
  '-=': '+=',
  '|=': '&=',
  '&=': '|=',
  '^=': '&='
}

/** The changes that are made to one node; `around` are the nodes that hold it, the outermost first. */
export function changesTo(node: SyntaxNode, around: readonly SyntaxNode[], textOf: TextOf): Change[] {
  return (BY_TYPE[node.nodeType] ?? []).flatMap(operator => operator(node, around, textOf))
}

/** A statement without effect; the semicolon after it stays. */
const NOTHING = '0'

type Operator = (node: SyntaxNode, around: readonly SyntaxNode[], textOf: TextOf) => Change[]

const change = (operator: string, node: SyntaxNode, replacement: string): Change[] => [
  { operator, ...spanOf(node), replacement }
]

/** The operator stands between its two sides. */
function swapOperator(left: SyntaxNode | undefined, right: SyntaxNode | undefined, operator: unknown): Change[] {
  const swapped = SWAPPED[String(operator)]
  if (left == null || right == null || swapped == null) return []
  return [{ operator: 'swap operator', start: spanOf(left).end, end: spanOf(right).start, replacement: ` ${swapped} ` }]
}

const binary: Operator = node =>
  swapOperator(child(node, 'leftExpression'), child(node, 'rightExpression'), node['operator'])

const assignment: Operator = node =>
  swapOperator(child(node, 'leftHandSide'), child(node, 'rightHandSide'), node['operator'])

/** A guard that never acts. That a guard which always acts is noticed, coverage of branches has shown. */
const condition: Operator = node => {
  const decides = child(node, 'condition')
  if (decides == null) return []
  const isGuard = child(node, 'trueBody')?.nodeType === 'RevertStatement' && node['falseBody'] == null
  const never = change('condition false', decides, 'false')
  return isGuard ? never : [...never, ...change('condition true', decides, 'true')]
}

const dropStatement: Operator = node => {
  const what = child(node, 'expression')?.nodeType ?? 'EmitStatement'
  const kind = { Assignment: 'assignment', FunctionCall: 'call', UnaryOperation: 'step', EmitStatement: 'event' }[what]
  return kind == null ? [] : change(`drop ${kind}`, node, NOTHING)
}

const unary: Operator = (node, _around, textOf) => {
  const operand = child(node, 'subExpression')
  if (operand == null || (node['operator'] !== '!' && node['operator'] !== '~')) return []
  return change('drop negation', node, textOf(operand))
}

const literal: Operator = (node, around, textOf) => {
  const isSize = around.some(({ nodeType }) => nodeType === 'ArrayTypeName')
  const [, digits, unit = ''] = /^(0x[0-9a-fA-F]+|\d+)(\s+\w+)?$/.exec(textOf(node)) ?? []
  if (node['kind'] !== 'number' || isSize || digits == null) return []
  // Written at the same width: a hexadecimal literal may be bytes.
  const next = (step: bigint): string => {
    const number = BigInt(digits) + step
    return digits.startsWith('0x')
      ? `0x${number.toString(16).padStart(digits.length - 2, '0')}${unit}`
      : `${String(number)}${unit}`
  }
  return [
    ...change('constant + 1', node, next(1n)),
    ...(BigInt(digits) > 0n ? change('constant - 1', node, next(-1n)) : [])
  ]
}

/** `type(T).max`, a bound. */
const bound: Operator = (node, _around, textOf) =>
  node['memberName'] === 'max' && textOf(node).startsWith('type(')
    ? change('bound - 1', node, `(${textOf(node)} - 1)`)
    : []

const dropModifiers: Operator = node =>
  node['kind'] === 'constructor'
    ? []
    : (node['modifiers'] as SyntaxNode[]).flatMap(modifier => change('drop modifier', modifier, ''))

/** Two neighbours among the arguments of an event, an error or a function change places. */
const swapArguments: Operator = (node, _around, textOf) => {
  const called = child(node, 'expression')
  const args = (node['arguments'] ?? []) as SyntaxNode[]
  // What is hashed is checked against ethers' hash of the same struct: each place is covered as it is.
  if (called == null || textOf(called).startsWith('abi.encode')) return []
  // The smaller or larger of two is that in either order.
  if (/^Math\.(min|max)$/.test(textOf(called))) return []
  return args.slice(1).flatMap((second, i) => {
    const first = args[i]
    if (first == null || textOf(first) === textOf(second)) return []
    const { start, end } = { start: spanOf(first).start, end: spanOf(second).end }
    return [{ operator: 'swap arguments', start, end, replacement: `${textOf(second)}, ${textOf(first)}` }]
  })
}

const BY_TYPE: Record<string, readonly Operator[]> = {
  BinaryOperation: [binary],
  Assignment: [assignment],
  IfStatement: [condition],
  Conditional: [condition],
  ExpressionStatement: [dropStatement],
  EmitStatement: [dropStatement],
  UnaryOperation: [unary],
  Literal: [literal],
  MemberAccess: [bound],
  FunctionDefinition: [dropModifiers],
  FunctionCall: [swapArguments]
}
