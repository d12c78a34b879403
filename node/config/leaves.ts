/** The single values of the configuration, read off its schema: what files, environment and documents all speak of. */
import { z } from 'zod'
import { nodeConfig } from '#node/config/schema.ts'

/** A part of a JSON Schema, as far as this project's has it. */
export interface SchemaPart {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly unit?: string
  readonly isPath?: boolean
  readonly isSecret?: boolean
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly anyOf?: readonly SchemaPart[]
  readonly items?: SchemaPart
  readonly properties?: Readonly<Record<string, SchemaPart>>
}

/** One value. */
export interface Leaf {
  /** For example `['http', 'port']`. */
  readonly path: readonly string[]
  readonly schema: SchemaPart
  /** Name of its environment variable, for example `SALUS_NODE_HTTP_PORT`. */
  readonly variable: string
}

/** Begins the name of every environment variable of a node. */
export const VARIABLE_PREFIX = 'SALUS_NODE_'

/** The JSON Schema (draft 2020-12) of the configuration. */
export function configSchema(): SchemaPart {
  return z.toJSONSchema(nodeConfig, { io: 'input' }) as SchemaPart
}

/** Every value, in the order of the schema. */
export function configLeaves(): readonly Leaf[] {
  return leavesOf(configSchema(), [])
}

function leavesOf({ properties = {} }: SchemaPart, above: readonly string[]): Leaf[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = [...above, name]
    return schema.properties == null ? { path, schema, variable: variableOf(path) } : leavesOf(schema, path)
  })
}

function variableOf(path: readonly string[]): string {
  return `${VARIABLE_PREFIX}${path.map(name => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`
}
