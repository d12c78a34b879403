/** The options that say which node is meant, and how its configuration is told (docs/reference/node-config.md). */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { SalusError } from '#core/error.ts'
import { configLeaves } from '#node/config/leaves.ts'
import { configOf, readText, type ConfigLayers } from '#node/config/layers.ts'
import type { NodeConfig } from '#node/config/schema.ts'

/** What these options give. */
export interface ConfigOptions {
  readonly config?: string
  readonly data?: string
  readonly set: Readonly<Record<string, unknown>>
}

/** Adds `--config`, `--data` and `--set`. */
export function withConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'its configuration file')
    .option('--data <dir>', 'folder of its data, instead of the configured one')
    .option(
      '--set <name=value>',
      'a value of the configuration, for example http.port=8788; may be repeated',
      readSet,
      {}
    )
}

/**
 * The configuration that the options, the environment and the file together mean.
 *
 * @param flags - of further options, by dotted path; those that are undefined say nothing
 * @param withoutFile - what holds where no file is named
 * @throws SalusError `CONFIG_FILE`, and as {@link configOf}
 */
export async function readConfig(
  { config, data, set }: ConfigOptions,
  flags: Readonly<Record<string, unknown>> = {},
  withoutFile: object = {}
): Promise<NodeConfig> {
  const file =
    config == null ? { path: resolve('node.json'), text: JSON.stringify(withoutFile) } : await readConfigFile(config)
  return configOf({
    file,
    environment: process.env,
    flags: { dataDir: data, ...flags, ...set },
    workDir: process.cwd()
  })
}

async function readConfigFile(path: string): Promise<NonNullable<ConfigLayers['file']>> {
  try {
    return { path: resolve(path), text: await readFile(path, 'utf8') }
  } catch (cause) {
    throw new SalusError('CONFIG_FILE', `Cannot read ${path}; make one with "salus node init".`, { cause })
  }
}

function readSet(text: string, before: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  const leaf = at < 1 ? undefined : configLeaves().find(({ path }) => path.join('.') === name)
  if (leaf == null) throw new InvalidArgumentError('Expected name=value with a name of docs/reference/node-config.md.')
  return { ...before, [name]: readText({ ...leaf, variable: name }, text.slice(at + 1)) }
}
