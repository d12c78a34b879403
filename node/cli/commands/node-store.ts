/** `salus node backup`, `restore` and `scrub`: of a running node through its API, of a stopped one in its folder. */
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { isSalusError, SalusError } from '#core/error.ts'
import { nodeAccess, withAccessOptions, type AccessOptions } from '#node/cli/node-access.ts'
import { readConfig } from '#node/cli/node-options.ts'
import { sendTo, type NodeClientInit } from '#node/http/client-call.ts'
import { backUp } from '#node/store/backup/back-up.ts'
import { restore, verifyBackup } from '#node/store/backup/restore.ts'
import { cidOfName, createBlockstore } from '#node/store/blocks.ts'
import { openStore } from '#node/store/schema.ts'
import { scrub } from '#node/store/scrub.ts'

const DAY_MS = 86_400_000

/** Adds the commands. */
export function addNodeStore(node: Command): void {
  withAccessOptions(node.command('backup').description('back a node up, also while it runs'))
    .option('--to <dir>', 'folder of the backups; only what is new is written')
    .action(backup)
  withAccessOptions(node.command('restore').description('make the folder of a node from a backup, or check one'))
    .requiredOption('--from <dir>', 'folder of the backups')
    .option('--snapshot <name>', 'which one; the newest unless told')
    .option('--verify', 'read and check every byte of it, and make nothing', false)
    .action(restoreNode)
  withAccessOptions(
    node.command('scrub').description('read everything that is stored; of a running node, damage is healed by peers')
  ).action(scrubNode)
}

async function backup({ to, ...options }: AccessOptions & { readonly to?: string }): Promise<void> {
  const target = to == null ? undefined : resolve(to)
  const access = await running(options)
  const { say, done } = printer(options.json)
  if (access != null) {
    done(await follow(access, '/v1/backups', target == null ? {} : { to: target }, say))
    return
  }
  const { dataDir, store } = await readConfig(options)
  const folder = target ?? store.backupDir
  if (folder == null) throw new SalusError('BACKUP_FOLDER', 'Say where to with --to, or set store.backupDir.')
  const db = await openStore(dataDir)
  const blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
  try {
    await blockstore.start()
    const onDamaged = async (name: string): Promise<void> => blockstore.noteDamaged(cidOfName(name))
    const components = { db, dataDir, clock: Date.now, onDamaged }
    done(await backUp(components, { to: folder, signal: interrupted(), onProgress: say }))
  } finally {
    await blockstore.stop()
    await db.close()
  }
}

interface RestoreOptions extends AccessOptions {
  readonly from: string
  readonly snapshot?: string
  readonly verify: boolean
}

async function restoreNode({ from, snapshot, verify, ...options }: RestoreOptions): Promise<void> {
  const { say, done } = printer(options.json)
  const source = { from: resolve(from), ...(snapshot == null ? {} : { snapshot }) }
  const how = { signal: interrupted(), onProgress: say }
  if (verify) {
    done(await verifyBackup(source, how))
    return
  }
  const { dataDir } = await readConfig(options)
  done(await restore({ ...source, to: dataDir }, how))
}

async function scrubNode(options: AccessOptions): Promise<void> {
  const access = await running(options)
  const { say, done } = printer(options.json)
  if (access != null) {
    done(await follow(access, '/v1/scrubs', undefined, say))
    return
  }
  const { dataDir, store } = await readConfig(options)
  const db = await openStore(dataDir)
  const blockstore = createBlockstore({ db, directory: join(dataDir, 'blocks') })
  try {
    await blockstore.start()
    const bytesPerSecond = store.scrubMibPerSecond * 2 ** 20
    done(await scrub({ db, blockstore }, { bytesPerSecond, signal: interrupted(), onProgress: say }))
  } finally {
    await blockstore.stop()
    await db.close()
  }
}

/** How the node is reached if it runs; one that was killed left its file behind. */
async function running(options: AccessOptions): Promise<NodeClientInit | undefined> {
  try {
    const access = await nodeAccess(options)
    await sendTo(access, { method: 'GET', path: '/healthz', timeoutMs: 5_000 })
    return access
  } catch (error) {
    const isAway = isSalusError(error, 'NODE_NOT_RUNNING') || isSalusError(error, 'NODE_UNREACHABLE')
    if (options.url == null && isAway) return undefined
    throw error
  }
}

/** Reads the lines of long work to its end. */
async function follow(
  access: NodeClientInit,
  path: string,
  body: object | undefined,
  say: (progress: object) => void
): Promise<object> {
  const response = await sendTo(
    { ...access, signal: interrupted() },
    {
      ...{ method: 'POST', path, timeoutMs: DAY_MS },
      ...(body == null ? {} : { body: new TextEncoder().encode(JSON.stringify(body)), type: 'application/json' })
    }
  )
  let rest = ''
  const parts: AsyncIterable<Uint8Array> | null = response.body
  for await (const part of parts ?? []) {
    rest += new TextDecoder().decode(part)
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { progress, done, problem } = JSON.parse(line) as {
        progress?: object
        done?: object
        problem?: { code: string; detail: string }
      }
      if (problem != null) throw new SalusError(problem.code, problem.detail)
      if (done != null) return done
      if (progress != null) say(progress)
    }
  }
  throw new SalusError('UPKEEP_BROKEN_OFF', 'The node ended it before its end; ask again.')
}

/** Aborted by the first SIGINT or SIGTERM: what was begun is left as if it had not been. */
function interrupted(): AbortSignal {
  const controller = new AbortController()
  const abort = (): void => {
    controller.abort(new SalusError('UPKEEP_BROKEN_OFF', 'It was broken off; what was written before does not count.'))
  }
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  return controller.signal
}

/** Progress to standard error, so that standard output has the result alone. */
function printer(json: boolean) {
  return {
    say: (progress: object) => {
      if (json || process.stderr.isTTY)
        console.error(json ? JSON.stringify({ event: 'progress', ...progress }) : wordsOf(progress))
    },
    done: (report: object) => {
      console.log(json ? JSON.stringify({ event: 'done', ...report }) : wordsOf(report))
    }
  }
}

function wordsOf(values: object): string {
  const entries = Object.entries(values) as [string, object | string | number][]
  return entries
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ')
}
