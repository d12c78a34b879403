/** `GET /ipfs/{cid}`: the bytes of a blob, one block, or a CAR of its blocks, as a trustless gateway gives them (docs/specs/http-api.md). */
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { CID } from 'multiformats/cid'
import { SalusError } from '#core/error.ts'
import type { HttpComponents } from '#node/http/components.ts'
import { formatOf, hasAlready, partOf, type IpfsFormat } from '#node/http/ipfs-format.ts'
import { openBlob, readCidParam } from '#node/http/record-answers.ts'
import { cidParam, problemBody } from '#node/http/wire.ts'
import { carOf } from '#node/network/car.ts'

/** Most bytes of blocks in one CAR. */
const MAX_CAR_BYTES: number = 256 << 20
/** The CID of nothing, by which clients ask whether a server is a gateway. */
const EMPTY_CID = 'bafkqaaa'

const binary = z.any().openapi({ type: 'string', format: 'binary' })
const contents = {
  'application/octet-stream': { schema: binary },
  'application/vnd.ipld.raw': { schema: binary },
  'application/vnd.ipld.car': { schema: binary }
} as const

/** `GET /ipfs/{cid}` */
const ipfsRoute = createRoute({
  method: 'get',
  path: '/ipfs/{cid}',
  summary:
    'The sealed bytes of a blob, from this node or its peers; one of its blocks or a CAR of them, from this node',
  request: {
    params: cidParam,
    query: z.object({
      format: z.string().optional(),
      'dag-scope': z.string().optional(),
      'entity-bytes': z.string().optional(),
      'car-version': z.string().optional(),
      'car-order': z.string().optional(),
      'car-dups': z.string().optional()
    })
  },
  responses: {
    200: { description: 'The bytes', content: contents },
    206: { description: 'The part of the block that was asked for', content: contents },
    304: { description: 'The client has it already' },
    default: {
      description: 'What went wrong, with a stable code',
      content: { 'application/problem+json': { schema: problemBody } }
    }
  }
})

/** Adds the route. */
export function addIpfsRoute(app: OpenAPIHono<{ Bindings: HttpBindings }>, components: HttpComponents): void {
  app.openapi(ipfsRoute, async context => {
    const { cid: name } = context.req.valid('param')
    const query = context.req.valid('query')
    const format = formatOf(context.req.header('accept') ?? '', key => query[key as keyof typeof query])
    if (name === EMPTY_CID && format === 'raw') return block(context, name, new Uint8Array())
    const cid = readCidParam(name)
    if (format === 'file') return file(context, components, cid)
    const bytes = await components.readBlock(cid)
    if (bytes == null) throw new SalusError('BLOB_NOT_FOUND', 'This node knows no such blob.')
    return format === 'raw' ? block(context, name, bytes) : car(context, components, cid, format)
  })
}

/** Headers of an answer that never changes. */
function lasting(etag: string): Record<string, string> {
  return { 'cache-control': 'public, max-age=31536000, immutable', etag, vary: 'accept' }
}

function attachment(name: string, type: string, headers: Record<string, string>): Record<string, string> {
  return { ...headers, 'content-type': type, 'content-disposition': `attachment; filename="${name}"` }
}

/** The bytes of a file. */
async function file(context: Context, components: HttpComponents, cid: CID): Promise<Response> {
  const headers = lasting(`"${cid.toString()}"`)
  if (hasAlready(context.req.header('if-none-match'), headers['etag'] ?? '')) return context.body(null, 304, headers)
  const body = await openBlob(components, cid, context.req.raw.signal)
  if (context.req.method === 'HEAD') await body.cancel()
  return context.body(body, 200, { ...headers, 'content-type': 'application/octet-stream' })
}

/** One block, or a part of it. */
function block(context: Context, name: string, bytes: Uint8Array): Response {
  const headers = attachment(`${name}.bin`, 'application/vnd.ipld.raw', {
    ...lasting(`"${name}.raw"`),
    'accept-ranges': 'bytes',
    'x-ipfs-path': `/ipfs/${name}`
  })
  if (hasAlready(context.req.header('if-none-match'), headers['etag'] ?? '')) return context.body(null, 304, headers)
  const part = partOf(context.req.header('range'), bytes.length)
  const sent = part == null ? bytes : bytes.subarray(part.start, part.end)
  headers['content-length'] = String(sent.length)
  if (part == null) return context.body(new Uint8Array(sent), 200, headers)
  headers['content-range'] = `bytes ${String(part.start)}-${String(part.end - 1)}/${String(bytes.length)}`
  return context.body(new Uint8Array(sent), 206, headers)
}

/** All blocks of a file, or its root alone. */
function car(context: Context, components: HttpComponents, cid: CID, format: IpfsFormat): Response {
  const name = cid.toString()
  const headers = attachment(`${name}.car`, 'application/vnd.ipld.car; version=1; order=dfs; dups=n', {
    ...lasting(`W/"${name}.${format}"`),
    'accept-ranges': 'none',
    'x-ipfs-path': `/ipfs/${name}`
  })
  if (hasAlready(context.req.header('if-none-match'), headers['etag'] ?? '')) return context.body(null, 304, headers)
  if (context.req.method === 'HEAD') return context.body(null, 200, headers)
  const parts = carOf(components.readBlock, cid, { deep: format === 'car', maxBytes: MAX_CAR_BYTES })
  const body = new ReadableStream<Uint8Array>(
    {
      // An error here breaks the answer off: a CAR that ends well is whole.
      async pull(controller) {
        const next = await parts.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await parts.return()
      }
    },
    { highWaterMark: 0 }
  )
  return context.body(body, 200, headers)
}
