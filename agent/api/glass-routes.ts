/** Emergencies: who declares one, whose record it is, who looks after them, who reviews. */
import { base64url } from 'multiformats/bases/base64'
import { equalBytes, fromHex, toHex } from '#core/encoding/bytes.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import {
  emergenciesBody,
  heldEmergenciesBody,
  heldEmergencyBody,
  newDispute,
  newEmergency,
  newPreparation,
  newReview,
  newWatch,
  notificationsBody,
  notificationsQuery,
  preparationBody,
  reviewsBody,
  saltBody
} from '#agent/api/glass-wire.ts'
import { BODY_HEADERS } from '#agent/api/record-routes.ts'
import { bytesRoute, getRoute, none, postRoute } from '#agent/api/route.ts'
import { entryView } from '#agent/api/views.ts'
import { doneBody, entriesBody, grantEntryParam, grantParam, MAX_PAGE_ITEMS, pageQuery } from '#agent/api/wire.ts'
import { secondsOf } from '#agent/components.ts'
import { collectRelease, declareEmergency, endEmergency } from '#agent/glass/declare.ts'
import type { EmergencyOnChain } from '#agent/glass/emergencies.ts'
import type { HeldEmergency } from '#agent/glass/held-emergencies.ts'
import {
  disputeEmergency,
  endAsPatient,
  patientEmergencies,
  reviewEmergency,
  reviewQueue
} from '#agent/glass/oversight.ts'
import { prepareEmergency } from '#agent/glass/preparation.ts'
import { isTransient } from '#agent/patient/refusals.ts'

const EMERGENCIES = '/v1/clinician/emergencies'
const at = { params: none, query: none } as const
const one = { params: grantParam, body: none } as const
const declareRoute = postRoute(EMERGENCIES, 'Breaks the glass: declares an emergency and collects what it opens', {
  ...{ params: none, body: newEmergency, answer: heldEmergencyBody }
})
const heldRoute = getRoute(EMERGENCIES, 'The emergencies that this responder declared', {
  ...{ ...at, answer: heldEmergenciesBody }
})
const collectRoute = postRoute(`${EMERGENCIES}/{id}/collect`, 'Asks the custodians again', {
  ...{ ...one, answer: heldEmergencyBody }
})
const endRoute = postRoute(`${EMERGENCIES}/{id}/end`, 'Ends an emergency, or takes a false alarm back', {
  ...{ ...one, answer: doneBody }
})
const entriesRoute = getRoute(`${EMERGENCIES}/{id}/entries`, 'A record, as the emergency opens it', {
  ...{ params: grantParam, query: pageQuery, answer: entriesBody }
})
const bodyRoute = bytesRoute(`${EMERGENCIES}/{id}/entries/{name}/body`, 'What an entry says', {
  params: grantEntryParam
})
const reviewsRoute = getRoute('/v1/clinician/reviews', 'Emergencies that are over and await review', {
  ...{ ...at, answer: reviewsBody }
})
const reviewRoute = postRoute('/v1/clinician/reviews/{id}', 'Reviews an emergency', {
  ...{ params: grantParam, body: newReview, answer: saltBody }
})
const prepareRoute = postRoute('/v1/patient/emergency-shares', 'Has custodians keep shares for emergencies', {
  ...{ params: none, body: newPreparation, answer: preparationBody }
})
const ownRoute = getRoute('/v1/patient/emergencies', 'The patient’s emergencies, and why they were declared', {
  ...{ ...at, answer: emergenciesBody }
})
const endOwnRoute = postRoute('/v1/patient/emergencies/{id}/end', 'Ends an emergency', { ...one, answer: doneBody })
const disputeRoute = postRoute('/v1/patient/emergencies/{id}/dispute', 'Disputes an emergency', {
  ...{ params: grantParam, body: newDispute, answer: saltBody }
})
const toldRoute = getRoute('/v1/notifications', 'What there is to be told', {
  ...{ params: none, query: notificationsQuery, answer: notificationsBody }
})
const watchRoute = postRoute(
  '/v1/watches',
  'Tells this person of a patient’s emergencies, as a guardian wants to know',
  {
    ...{ params: none, body: newWatch, answer: doneBody }
  }
)

/** Adds the routes. */
export function addGlassRoutes(app: AgentApp, agent: Agent, { nodeUrl }: { readonly nodeUrl: string }): void {
  const { keeper, clock, shelf, emergencyRecords } = agent
  const view = (held: HeldEmergency) => heldEmergencyView(held, secondsOf(clock))
  const shown = (each: EmergencyOnChain) => emergencyView(each, secondsOf(clock))

  app.openapi(declareRoute, async context =>
    keeper.hold(async () => {
      const { patient, credential, custodians, reviewers, ...rest } = context.req.valid('json')
      const held = await declareEmergency(agent, {
        ...rest,
        patient: fromHex(patient, 32),
        custodians: custodians ?? [nodeUrl],
        reviewers: (reviewers ?? []).map(bundle => base64url.baseDecode(bundle)),
        ...(credential == null ? {} : { credential: fromHex(credential, 32) })
      })
      return context.json(view(held), 200)
    })
  )
  app.openapi(heldRoute, async context =>
    keeper.hold(async () => context.json({ emergencies: (await shelf.emergencies.read()).map(view) }, 200))
  )
  app.openapi(collectRoute, async context =>
    keeper.hold(async () => context.json(view(await collectRelease(agent, idOf(context.req.valid('param')))), 200))
  )
  app.openapi(endRoute, async context =>
    keeper.hold(async () => {
      await endEmergency(agent, idOf(context.req.valid('param')))
      return context.json({ ok: true as const }, 200)
    })
  )
  app.openapi(entriesRoute, async context =>
    keeper.hold(async () => {
      const { after = 0, limit = MAX_PAGE_ITEMS } = context.req.valid('query')
      const { entries, next } = await (
        await emergencyRecords.of(idOf(context.req.valid('param')))
      ).list({ after, limit })
      return context.json({ entries: entries.map(entryView), next }, 200)
    })
  )
  app.openapi(bodyRoute, async context =>
    keeper.hold(async () => {
      const { id, name } = context.req.valid('param')
      const { content } = await (await emergencyRecords.of(idOf({ id }))).open(name)
      return context.body(Uint8Array.from(content.body), 200, BODY_HEADERS)
    })
  )
  app.openapi(reviewsRoute, async context =>
    keeper.hold(async () => context.json({ emergencies: (await reviewQueue(agent)).map(shown) }, 200))
  )
  app.openapi(reviewRoute, async context =>
    keeper.hold(async () => {
      const salt = await reviewEmergency(agent, context.req.valid('param').id, context.req.valid('json'))
      return context.json({ salt: toHex(salt) }, 200)
    })
  )
  app.openapi(prepareRoute, async context =>
    keeper.hold(async () => {
      const { custodians, throughDay, threshold, hours, revision } = await prepareEmergency(
        agent,
        context.req.valid('json')
      )
      const day = new Date(throughDay * 86_400_000).toISOString().slice(0, 10)
      return context.json({ custodians: custodians.length, threshold, hours, revision, throughDay: day }, 200)
    })
  )
  app.openapi(ownRoute, async context =>
    keeper.hold(async () => {
      await look()
      const emergencies = (await patientEmergencies(agent)).map(({ reasonText: reason, isOffline, ...each }) => ({
        ...{ ...shown(each), reason, isOffline }
      }))
      return context.json({ emergencies }, 200)
    })
  )
  app.openapi(endOwnRoute, async context =>
    keeper.hold(async () => {
      await endAsPatient(agent, context.req.valid('param').id)
      return context.json({ ok: true as const }, 200)
    })
  )
  app.openapi(disputeRoute, async context =>
    keeper.hold(async () => {
      const { statement } = context.req.valid('json')
      const salt = await disputeEmergency(agent, context.req.valid('param').id, statement)
      return context.json({ salt: toHex(salt) }, 200)
    })
  )
  app.openapi(toldRoute, async context =>
    keeper.hold(async () => {
      await look()
      const { after = 0 } = context.req.valid('query')
      const notifications = (await shelf.notifications.read()).filter(({ number }) => number > after)
      return context.json({ notifications: [...notifications] }, 200)
    })
  )
  app.openapi(watchRoute, async context =>
    keeper.hold(async () => {
      const patient = fromHex(context.req.valid('json').patient, 32)
      await shelf.seen.update(seen =>
        seen.watched.some(each => equalBytes(each, patient)) ? seen : { ...seen, watched: [...seen.watched, patient] }
      )
      return context.json({ ok: true as const }, 200)
    })
  )

  /** What is known is told also while a node or the chain is away. */
  async function look(): Promise<void> {
    await agent.look().catch((error: unknown) => {
      if (!isTransient(error)) throw error
    })
  }
}

function idOf({ id }: { readonly id: string }): Uint8Array {
  return fromHex(id, 32)
}

/** An emergency in the words of the API. */
export function heldEmergencyView(
  { id, patient, reasonText, sinceS, untilS, isOffline, keys }: HeldEmergency,
  nowS: number
) {
  const state: 'open' | 'without-keys' | 'over' = nowS >= untilS ? 'over' : keys.length > 0 ? 'open' : 'without-keys'
  return { emergency: toHex(id), patient: toHex(patient), reason: reasonText, sinceS, untilS, isOffline, state }
}

function emergencyView(
  { id, patient, credential, sinceS, untilS, isDisputed, outcome }: EmergencyOnChain,
  nowS: number
) {
  return { emergency: id, patient, credential, sinceS, untilS, isActive: nowS < untilS, isDisputed, outcome }
}
