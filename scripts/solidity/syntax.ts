import { createRequire } from 'node:module'

/** A node of the compiler's syntax tree; what else it holds depends on its type. */
export interface SyntaxNode {
  readonly nodeType: string
  /** `offset:length:file`, in bytes of the source. */
  readonly src: string
  readonly [field: string]: unknown
}

/** A piece of a source, in bytes. */
export interface Span {
  readonly start: number
  readonly end: number
}

interface Solc {
  compile(input: string): string
}

interface ParserOutput {
  readonly errors?: readonly { readonly formattedMessage: string }[]
  readonly sources?: Record<string, { readonly ast?: SyntaxNode }>
}

/**
 * The syntax tree of one source, without looking at what it imports.
 *
 * @throws Error with the compiler's words if the source is no Solidity
 */
export function parseSolidity(path: string, content: string): SyntaxNode {
  const solc = createRequire(import.meta.url)('solc') as Solc
  const input = {
    language: 'Solidity',
    sources: { [path]: { content } },
    settings: { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } }
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as ParserOutput
  const ast = output.sources?.[path]?.ast
  if (ast == null) throw new Error((output.errors ?? []).map(error => error.formattedMessage).join('\n'))
  return ast
}

/** Calls `visit` with every node, each before those inside it, and with the nodes around it, the outermost first. */
export function walk(root: SyntaxNode, visit: (node: SyntaxNode, around: readonly SyntaxNode[]) => void): void {
  const enter = (value: unknown, around: readonly SyntaxNode[]): void => {
    if (Array.isArray(value)) for (const item of value) enter(item, around)
    if (!isNode(value)) return
    visit(value, around)
    const inside = [...around, value]
    for (const field of Object.values(value)) if (typeof field === 'object') enter(field, inside)
  }
  enter(root, [])
}

/** Where a node lies. */
export function spanOf({ src }: SyntaxNode): Span {
  const [start = 0, length = 0] = src.split(':').map(Number)
  return { start, end: start + length }
}

/** The node in a field. */
export function child(node: SyntaxNode, field: string): SyntaxNode | undefined {
  const value = node[field]
  return isNode(value) ? value : undefined
}

/** The line that a byte is on, from 1. */
export function lineAt(source: Buffer, offset: number): number {
  let line = 1
  for (const byte of source.subarray(0, offset)) if (byte === 0x0a) line++
  return line
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'nodeType' in value
}
