/** What a node is told in several places: defaults, then the file, then the environment, then the command line; the later wins. */
import { dirname, resolve } from 'node:path'
import { isSalusError, SalusError } from '#core/error.ts'
import { withoutComments } from '#node/config/json-comments.ts'
import { configLeaves, VARIABLE_PREFIX, type Leaf } from '#node/config/leaves.ts'
import { nodeConfig, type NodeConfig } from '#node/config/schema.ts'
import { parseStrictJson } from '#node/http/body.ts'

/** The places, each optional. Relative paths of the file count from its folder, others from `workDir`. */
export interface ConfigLayers {
  readonly file?: { readonly path: string; readonly text: string }
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Values of the command line by dotted path, for example `http.port`. */
  readonly flags?: Readonly<Record<string, unknown>>
  readonly workDir: string
}

type Tree = Record<string, unknown>

/** Largest configuration file, characters. */
const MAX_FILE_LENGTH = 1 << 20

/**
 * The configuration of all layers; messages name the place and never repeat a value.
 *
 * @throws SalusError `CONFIG_SYNTAX`, `CONFIG_UNKNOWN_KEY`, `CONFIG_VALUE`, `CONFIG_VARIABLE`
 */
export function configOf({ file, environment = {}, flags = {}, workDir }: ConfigLayers): NodeConfig {
  const leaves = configLeaves()
  const tree = file == null ? {} : readFileLayer(file.text)
  // What is misspelt in the file is said before anything overrides it.
  check(tree)
  if (file != null) resolvePaths(tree, leaves, dirname(file.path))
  const over = environmentLayer(environment, leaves)
  for (const [path, value] of Object.entries(flags)) if (value !== undefined) put(over, path.split('.'), value)
  resolvePaths(over, leaves, workDir)
  const config = check(merged(tree, over))
  // Defaults that are paths lie where the file lies.
  const base = file == null ? workDir : dirname(file.path)
  return { ...config, dataDir: resolve(base, config.dataDir), deployment: resolve(base, config.deployment) }
}

function readFileLayer(text: string): Tree {
  if (text.length > MAX_FILE_LENGTH) throw new SalusError('CONFIG_SYNTAX', 'The configuration file is too long.')
  let value: unknown
  try {
    value = parseStrictJson(new TextEncoder().encode(withoutComments(text).trim()))
  } catch (cause) {
    const why = isSalusError(cause, 'HTTP_BODY_DUPLICATE_KEY') ? 'names a key twice' : 'is not JSON with // comments'
    throw new SalusError('CONFIG_SYNTAX', `The configuration file ${why}.`, { cause })
  }
  if (!isTree(value)) throw new SalusError('CONFIG_SYNTAX', 'The configuration file is not one JSON object.')
  return value
}

function environmentLayer(environment: Readonly<Record<string, string | undefined>>, leaves: readonly Leaf[]): Tree {
  const tree: Tree = {}
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(VARIABLE_PREFIX) || text == null) continue
    const leaf = leaves.find(({ variable }) => variable === name)
    if (leaf == null) {
      throw new SalusError('CONFIG_VARIABLE', `The environment variable ${name} is none of this program; see its page.`)
    }
    put(tree, leaf.path, readText(leaf, text))
  }
  return tree
}

/** Text of the environment or the command line as a value of the leaf's type; the schema judges it. */
export function readText({ schema, variable }: Pick<Leaf, 'schema' | 'variable'>, text: string): unknown {
  const types = [schema.type ?? (schema.anyOf ?? []).map(({ type }) => type)].flat(2)
  if (types.includes('null') && text === '') return null
  if (types.includes('boolean')) return text === 'true' ? true : text === 'false' ? false : text
  if (types.includes('integer')) return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (!types.includes('array')) return text
  if (schema.items?.type === 'string') return text === '' ? [] : text.split(',').map(item => item.trim())
  try {
    return parseStrictJson(new TextEncoder().encode(text))
  } catch (cause) {
    throw new SalusError('CONFIG_VALUE', `${variable} is not a JSON list.`, { cause })
  }
}

function check(tree: Tree): NodeConfig {
  const { success, data, error } = nodeConfig.safeParse(tree)
  if (success) return data
  const [issue] = error.issues
  const place = (issue?.path ?? []).join('.')
  if (issue?.code === 'unrecognized_keys') {
    const keys = issue.keys.map(key => (place === '' ? key : `${place}.${key}`)).join(', ')
    throw new SalusError('CONFIG_UNKNOWN_KEY', `The configuration has no such value: ${keys}.`)
  }
  throw new SalusError(
    'CONFIG_VALUE',
    `The configuration's value ${place} is not what it must be: ${issue?.message ?? ''}.`
  )
}

function resolvePaths(tree: Tree, leaves: readonly Leaf[], base: string): void {
  for (const { path, schema } of leaves) {
    const value =
      schema.isPath === true ? path.reduce<unknown>((at, key) => (isTree(at) ? at[key] : undefined), tree) : null
    if (typeof value === 'string') put(tree, path, resolve(base, value))
  }
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(at, key) ? at[key] : undefined
    const made: Tree = isTree(next) ? next : {}
    at[key] = made
    at = made
  }
  at[path.at(-1) ?? ''] = value
}

function merged(below: Tree, above: Tree): Tree {
  const tree: Tree = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const old = Object.hasOwn(below, key) ? below[key] : undefined
    tree[key] = isTree(value) && isTree(old) ? merged(old, value) : value
  }
  return tree
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
