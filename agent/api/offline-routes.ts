/** Emergencies without a network: the patient's cards, who keeps them, and the crew (docs/specs/break-glass.md). */
import { base64pad, base64url } from 'multiformats/bases/base64'
import { z } from '@hono/zod-openapi'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { heldEmergencyView } from '#agent/api/glass-routes.ts'
import { heldEmergencyBody, newEmergency } from '#agent/api/glass-wire.ts'
import { fileRoute, none, postRoute } from '#agent/api/route.ts'
import { grantParam } from '#agent/api/wire.ts'
import { address, bytes32, seconds } from '#agent/api/wire-parts.ts'
import { secondsOf } from '#agent/components.ts'
import { CARD_LIMITS, makeCards } from '#agent/glass/cards.ts'
import { declareOffline, handShare, keepPackage } from '#agent/glass/offline.ts'
import { bodyOf } from '#node/http/body.ts'

const PACKAGES = '/v1/clinician/emergency-packages'
const DAY_MS = 86_400_000
const { maxDays, maxVitalsS, maxKeepers } = CARD_LIMITS
const packed = z
  .string()
  .max(100_000)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/, 'expected base64')
const newCards = z
  .strictObject({
    keepers: z.array(packed).min(1).max(maxKeepers),
    vitalsS: z.int().min(0).max(maxVitalsS),
    days: z.int().min(1).max(maxDays)
  })
  .openapi('NewEmergencyCards')
const cardsBody = z
  .strictObject({
    card: z.string(),
    throughDay: z.string(),
    entries: z.int(),
    packages: z.array(z.strictObject({ address, package: z.string() }))
  })
  .openapi('EmergencyCards')
const keptBody = z.strictObject({ patient: bytes32, untilS: seconds }).openapi('EmergencyPackageKept')
const cardBody = z.strictObject({ card: z.string() }).openapi('EmergencyShareCard')
const newOffline = z
  .strictObject({
    ...newEmergency.omit({ custodians: true }).shape,
    cards: z.array(z.string().max(256)).min(1).max(maxKeepers)
  })
  .openapi('NewOfflineEmergency')

const cardsRoute = postRoute(
  '/v1/patient/emergency-cards',
  'Makes a card, and packages for who keep the other shares',
  {
    ...{ params: none, body: newCards, answer: cardsBody }
  }
)
const keepRoute = fileRoute(PACKAGES, 'Keeps a package for an emergency without a network', {
  ...{ params: none, query: none, answer: keptBody }
})
const handRoute = postRoute(`${PACKAGES}/{id}/hand`, 'This agent’s share as a card, for a crew that stands here', {
  ...{ params: grantParam, body: none, answer: cardBody }
})
const declareRoute = postRoute('/v1/clinician/emergencies/offline', 'Breaks the glass without a network', {
  ...{ params: none, body: newOffline, answer: heldEmergencyBody }
})

/** Adds the routes. */
export function addOfflineRoutes(app: AgentApp, agent: Agent): void {
  const { keeper, clock } = agent

  app.openapi(cardsRoute, async context =>
    keeper.hold(async () => {
      const { keepers, ...rest } = context.req.valid('json')
      const made = await makeCards(agent, { ...rest, keepers: keepers.map(each => base64pad.baseDecode(each)) })
      const packages = made.packages.map(({ address: at, bytes }) => ({
        ...{ address: toHex(at), package: base64pad.baseEncode(bytes) }
      }))
      const throughDay = new Date(made.throughDay * DAY_MS).toISOString().slice(0, 10)
      return context.json({ card: made.card, throughDay, entries: made.entries, packages }, 200)
    })
  )
  app.openapi(keepRoute, async context =>
    keeper.hold(async () => {
      const { patient, untilS } = await keepPackage(agent, await bodyOf(context))
      return context.json({ patient: toHex(patient), untilS }, 200)
    })
  )
  app.openapi(handRoute, async context =>
    keeper.hold(async () =>
      context.json({ card: await handShare(agent, fromHex(context.req.valid('param').id, 32)) }, 200)
    )
  )
  app.openapi(declareRoute, async context =>
    keeper.hold(async () => {
      const { patient, credential, reviewers = [], ...rest } = context.req.valid('json')
      const held = await declareOffline(agent, {
        ...rest,
        patient: fromHex(patient, 32),
        reviewers: reviewers.map(bundle => base64url.baseDecode(bundle)),
        ...(credential == null ? {} : { credential: fromHex(credential, 32) })
      })
      return context.json(heldEmergencyView(held, secondsOf(clock)), 200)
    })
  )
}
