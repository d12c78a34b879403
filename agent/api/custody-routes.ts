/** Erasing entries, and who got at the record by the receipts of custodians. */
import { base64pad } from 'multiformats/bases/base64'
import { z } from '@hono/zod-openapi'
import { toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { getRoute, none, postRoute } from '#agent/api/route.ts'
import { progressView } from '#agent/api/views.ts'
import { accessesBody } from '#agent/api/wire.ts'
import { progress } from '#agent/api/wire-parts.ts'
import { collectAttestations, eraseEntry } from '#agent/custody/erasure.ts'
import { followReceipts } from '#agent/custody/receipts.ts'
import { listAccesses } from '#agent/patient/accesses.ts'

const url = z
  .url()
  .max(200)
  .regex(/^https?:\/\/[!-~]+$/)
const packed = z.string().min(4).max(100_000)
const erasureRequest = z
  .strictObject({
    entry: z
      .string()
      .max(128)
      .regex(/^[A-Za-z0-9]+$/)
      .optional(),
    erasure: packed.optional(),
    keepers: z.array(url).max(64).optional(),
    waitMs: z.int().min(0).max(120_000).optional()
  })
  .openapi('ErasureRequest')
const erasureBody = z
  .strictObject({
    erasure: packed,
    progress,
    attestations: z.array(packed),
    attested: z.array(z.strictObject({ peer: z.string(), had: z.int(), atMs: z.int() })),
    missing: z.array(z.string()),
    unreachable: z.array(z.string()),
    isComplete: z.boolean()
  })
  .openapi('Erasure')
const eraseRoute = postRoute('/v1/patient/erasures', 'Erases an entry, or asks for attestations of an erasure again', {
  params: none,
  body: erasureRequest,
  answer: erasureBody
})
const accessesRoute = getRoute('/v1/patient/accesses', 'What happened to the record', {
  params: none,
  query: z.strictObject({ custodians: z.string().max(4096).optional() }),
  answer: accessesBody
})

const WAIT_MS = 30_000
const DONE = { state: 'done' } as const

/** Adds the routes. */
export function addCustodyRoutes(app: AgentApp, agent: Agent): void {
  const { keeper } = agent

  app.openapi(eraseRoute, async context =>
    keeper.hold(async () => {
      const { entry, erasure, keepers = [], waitMs = WAIT_MS } = context.req.valid('json')
      if ((entry == null) === (erasure == null)) {
        throw new SalusError('HTTP_BODY_SHAPE', 'Name an entry to erase, or an erasure to ask about, not both.')
      }
      const begun = entry == null ? { erasure: unpack(erasure ?? ''), progress: DONE } : await eraseEntry(agent, entry)
      const found = await collectAttestations(agent, begun.erasure, { keepers, waitMs })
      const { attested, missing, wrong, unreachable } = found
      return context.json(
        {
          erasure: base64pad.baseEncode(begun.erasure),
          progress: progressView(begun.progress),
          attestations: found.attestations.map(each => base64pad.baseEncode(each)),
          attested: attested.map(({ peer, had, atMs }) => ({ peer: toHex(peer), had, atMs })),
          missing: missing.map(toHex),
          unreachable: [...unreachable],
          isComplete: missing.length === 0 && wrong.length === 0 && unreachable.length === 0
        },
        200
      )
    })
  )
  app.openapi(accessesRoute, async context =>
    keeper.hold(async () => {
      const named = context.req.valid('query').custodians?.split(',') ?? []
      if (!named.every(each => url.safeParse(each).success)) {
        throw new SalusError('HTTP_BODY_SHAPE', 'Custodians are named by the addresses of their HTTP APIs.')
      }
      const { accesses, alarms } = await followReceipts(agent, named)
      const all = await listAccesses([...agent.accessSources, { list: async () => Promise.resolve(accesses) }])
      return context.json(
        { accesses: all.map(({ grantId, ...rest }) => ({ ...rest, grant: grantId })), alarms: [...alarms] },
        200
      )
    })
  )
}

function unpack(text: string): Uint8Array {
  try {
    return base64pad.baseDecode(text)
  } catch (cause) {
    throw new SalusError('HTTP_BODY_SHAPE', 'The request is not as documented: expected base64.', { cause })
  }
}
