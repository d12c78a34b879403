/** Links: out to people without Salus, and in from others. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { linkBody, linkParam, linksBody, newLink, openedBody, shownCodes } from '#agent/api/link-wire.ts'
import { getRoute, none, postRoute } from '#agent/api/route.ts'
import { doneBody } from '#agent/api/wire.ts'
import { exportBundle, exportSummary, resourcesIn } from '#agent/fhir-record/export.ts'
import type { FhirParts } from '#agent/fhir-record/parts.ts'
import { freshUuid } from '#agent/fhir-record/uuid.ts'
import type { ImportProgress } from '#agent/imports/progress.ts'
import type { ShownLink } from '#agent/links/links.ts'
import { openShown } from '#agent/links/open-in.ts'
import { isSensitive } from '#core/fhir/sensitivity/rank.ts'
import { COMPARTMENTS } from '#core/record/compartment.ts'

const createRoute = postRoute('/v1/patient/links', 'Makes a link', { params: none, body: newLink, answer: linkBody })
const listRoute = getRoute('/v1/patient/links', 'The links that were given out', {
  params: none,
  query: none,
  answer: linksBody
})
const revokeRoute = postRoute('/v1/patient/links/{id}/revoke', 'Ends a link at once', {
  params: linkParam,
  body: none,
  answer: doneBody
})
const openRoute = postRoute('/v1/patient/shown', 'Opens a link or card that somebody shows, and imports it', {
  params: none,
  body: shownCodes,
  answer: openedBody
})

/** Adds the routes. */
export function addLinkRoutes(app: AgentApp, agent: Agent, { links, imports, fhirRecord }: FhirParts): void {
  const { keeper, clock, random } = agent
  app.openapi(createRoute, async context =>
    keeper.hold(async () => {
      const { untilS, format = 'ips', claims = 1, compartments, passcode, label } = context.req.valid('json')
      const snapshot = await fhirRecord.fresh()
      const resources = resourcesIn(snapshot, compartments ?? COMPARTMENTS.filter(each => !isSensitive(each)))
      const what = { nowMs: clock(), base: snapshot.view.base }
      const fresh = { documentId: freshUuid(random), compositionUrl: freshUuid(random) }
      const content =
        format === 'ips'
          ? exportSummary(snapshot, resources, { ...what, ...fresh })
          : exportBundle(snapshot, resources, what)
      const made = await links.create({
        ...{ expiresAtS: untilS, claims, content },
        ...(passcode == null ? {} : { passcode }),
        ...(label == null ? {} : { label })
      })
      return context.json(linkView(made), 200)
    })
  )
  app.openapi(listRoute, async context =>
    keeper.hold(async () => Promise.resolve(context.json({ links: links.list().map(linkView) }, 200)))
  )
  app.openapi(revokeRoute, async context => {
    await links.revoke(context.req.valid('param').id)
    return context.json({ ok: true } as const, 200)
  })
  app.openapi(openRoute, async context =>
    keeper.hold(async () => {
      const { texts, recipient, passcode, allowHttp = false } = context.req.valid('json')
      await agent.accounts.patient()
      const world = { fetch, clock, sleep: async (ms: number) => pause(ms), jitter: Math.random }
      const shown = await openShown(world, texts, { recipient, allowHttp, ...(passcode == null ? {} : { passcode }) })
      const taken: ImportProgress[] = []
      for (const { bytes } of shown) taken.push(await imports.take(once(bytes)))
      const issuers = shown.flatMap(({ issuer }) => issuer ?? [])
      return context.json({ imports: taken, issuers }, 200)
    })
  )
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

function linkView({ expiresAtS: untilS, claims, ...rest }: ShownLink) {
  return { ...rest, untilS, claims: [...claims] }
}
