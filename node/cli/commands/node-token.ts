/** `salus node token`: tokens for those who operate a node, and for what watches it. */
import { InvalidArgumentError, type Command } from 'commander'
import { SCOPES, SCOPE_MEANS, type Scope } from '#node/auth/scopes.ts'
import { nodeAccess, withAccessOptions, type AccessOptions } from '#node/cli/node-access.ts'
import { readCount } from '#node/cli/options.ts'
import { callNode } from '#node/http/client-call.ts'

const DAY_S = 86_400

interface CreateOptions extends AccessOptions {
  readonly scope: readonly Scope[]
  readonly days: number
  readonly label: string
}

/** Adds the commands. */
export function addNodeToken(node: Command): void {
  const token = node.command('token').description('tokens for those who operate the node, and for what watches it')
  withAccessOptions(token.command('create').description('make a token; it is shown this once'))
    .requiredOption('--scope <scopes...>', 'what for, see below', readScope)
    .addHelpText('after', `\nScopes:\n${SCOPES.map(scope => `  ${scope.padEnd(12)} ${SCOPE_MEANS[scope]}`).join('\n')}`)
    .option('--days <n>', 'how long, as far as the configuration lets it', readCount, 90)
    .option('--label <text>', 'what to call it in lists', '')
    .action(create)
  withAccessOptions(token.command('list').description('the tokens that live')).action(list)
  withAccessOptions(token.command('revoke').description('end a token').argument('<id>')).action(revoke)
}

async function create(options: CreateOptions): Promise<void> {
  const { scope, days, label, json } = options
  const body = { scopes: scope, lifetimeS: Math.max(60, days * DAY_S), label }
  const { token, record } = await callNode(await nodeAccess(options), 'POST /v1/auth/tokens', { body })
  console.log(json ? JSON.stringify({ token, ...record }) : token)
}

async function list(options: AccessOptions): Promise<void> {
  const { tokens } = await callNode(await nodeAccess(options), 'GET /v1/auth/tokens', {})
  const lines = tokens.map(({ id, holder, label, scopes, expiresAtS }) =>
    [id, holder, scopes.join(','), `until ${new Date(expiresAtS * 1000).toISOString()}`, label].join(' ')
  )
  console.log(options.json ? JSON.stringify({ tokens }) : lines.join('\n') || 'no tokens')
}

async function revoke(id: string, options: AccessOptions): Promise<void> {
  await callNode(await nodeAccess(options), 'DELETE /v1/auth/tokens/{id}', { path: { id } })
  console.log(options.json ? JSON.stringify({ revoked: id }) : 'revoked')
}

function readScope(text: string, before: readonly Scope[] = []): readonly Scope[] {
  const scope = SCOPES.find(each => each === text)
  if (scope == null) throw new InvalidArgumentError(`Expected one of ${SCOPES.join(', ')}.`)
  return [...before, scope]
}
