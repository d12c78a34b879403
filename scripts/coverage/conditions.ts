import { child, lineAt, parseSolidity, spanOf, walk, type Span, type SyntaxNode } from '#scripts/solidity/syntax.ts'

/** Something in a contract that is either true or false and on which depends what happens next. */
export interface Condition {
  /** In the source as it was written. */
  readonly line: number
  /** As it stands there, on one line. */
  readonly text: string
  /** Lines of the instrumented source that are reached when it is true, and when it is false. */
  readonly whenTrue: number
  readonly whenFalse: number
}

/** A source in which every condition passes through a function of its own. */
export interface Instrumented {
  readonly source: string
  readonly conditions: readonly Condition[]
}

const DECIDING = ['IfStatement', 'Conditional', 'WhileStatement', 'DoWhileStatement', 'ForStatement']
/** Lines of a condition's function up to the two that count, from its first. */
const [TRUE_LINE, FALSE_LINE, LINES] = [2, 4, 8]

/**
 * Hardhat counts statements and knows no branches. So each condition, and each operand of `&&` and `||`, is led through
 * a function at the end of the file that has a statement for either outcome. No line of the source moves.
 */
export function instrumentConditions(path: string, source: string): Instrumented {
  const bytes = Buffer.from(source)
  const spans = conditionSpans(parseSolidity(path, source))
  const inserts = spans.flatMap(({ start, end }, i) => [
    { at: start, text: `_condition${String(i)}(`, isEnd: false, length: end - start },
    { at: end, text: ')', isEnd: true, length: end - start }
  ])
  // At one place what ends comes first; of what begins there, the longer; of what ends there, the shorter.
  inserts.sort((a, b) => {
    if (a.at !== b.at) return a.at - b.at
    if (a.isEnd !== b.isEnd) return a.isEnd ? -1 : 1
    return a.isEnd ? a.length - b.length : b.length - a.length
  })
  let text = ''
  let copied = 0
  for (const insert of inserts) {
    text += bytes.subarray(copied, insert.at).toString() + insert.text
    copied = insert.at
  }
  text += bytes.subarray(copied).toString()
  if (!text.endsWith('\n')) text += '\n'
  const lines = text.split('\n').length
  return {
    source: text + spans.map((_span, i) => functionOf(i)).join(''),
    conditions: spans.map(({ start, end }, i) => ({
      line: lineAt(bytes, start),
      text: bytes.subarray(start, end).toString().replaceAll(/\s+/g, ' '),
      whenTrue: lines + i * LINES + TRUE_LINE,
      whenFalse: lines + i * LINES + FALSE_LINE
    }))
  }
}

function functionOf(i: number): string {
  return `function _condition${String(i)}(bool holds) pure returns (bool) {
    if (holds) {
        holds = true;
    } else {
        holds = false;
    }
    return holds;
}
`
}

function conditionSpans(root: SyntaxNode): Span[] {
  const found = new Map<string, Span>()
  const add = (node: SyntaxNode | undefined): void => {
    if (node == null) return
    // A connective is judged by its operands.
    if (isConnective(node)) return
    if (node.nodeType === 'TupleExpression') {
      for (const part of node['components'] as SyntaxNode[]) add(part)
      return
    }
    found.set(node.src, spanOf(node))
  }
  walk(root, node => {
    if (DECIDING.includes(node.nodeType)) add(child(node, 'condition'))
    if (isConnective(node)) {
      add(child(node, 'leftExpression'))
      add(child(node, 'rightExpression'))
    }
    if (node.nodeType === 'FunctionCall' && child(node, 'expression')?.['name'] === 'require') {
      add((node['arguments'] as SyntaxNode[])[0])
    }
  })
  return [...found.values()].sort((a, b) => a.start - b.start)
}

function isConnective(node: SyntaxNode): boolean {
  return node.nodeType === 'BinaryOperation' && (node['operator'] === '&&' || node['operator'] === '||')
}
