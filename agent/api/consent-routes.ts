/** What a grant would show, why somebody may or may not, and ending a grant with what is left of it. */
import type { z } from '@hono/zod-openapi'
import { readCodeText } from '#core/agent/code-text.ts'
import { describePreview } from '#core/consent/explain.ts'
import type { Preview } from '#core/consent/preview.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { isSalusError, SalusError } from '#core/error.ts'
import { RIGHT_READ, RIGHT_WRITE } from '#core/grant/terms.ts'
import { LAST_DAY } from '#core/record/day.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { previewBody, whyBody, whyRequest } from '#agent/api/consent-wire.ts'
import { none, postRoute } from '#agent/api/route.ts'
import { progressView, rightBits } from '#agent/api/views.ts'
import { grantRequest, type revokedBody } from '#agent/api/wire.ts'
import { secondsOf } from '#agent/components.ts'
import { leftoverOf, watchRefusals, type Leftover } from '#agent/patient/ending.ts'
import { explain } from '#agent/patient/explanations.ts'
import { foresee, versionsOf } from '#agent/patient/foresight.ts'
import { draftAccess, endAccess, type GrantChoice } from '#agent/patient/grants.ts'
import { grantOf } from '#agent/patient/operations.ts'
import { requestNamed } from '#agent/patient/requests.ts'
import { judgeByRole } from '#agent/patient/role-check.ts'

const previewRoute = postRoute('/v1/patient/grants/preview', 'What somebody would see today; nothing is granted', {
  params: none,
  body: grantRequest,
  answer: previewBody
})
const whyRoute = postRoute('/v1/patient/explanations', 'Why somebody may, might or may not', {
  params: none,
  body: whyRequest,
  answer: whyBody
})

const DAY_MS = 86_400_000
/** How long a revocation is watched. */
const WATCH_MS = 30_000

/** Adds the routes. */
export function addConsentRoutes(app: AgentApp, agent: Agent): void {
  const { keeper, record, clock } = agent
  app.openapi(previewRoute, async context =>
    keeper.hold(async () => {
      const { bytes, choice } = await grantChoiceOf(agent, context.req.valid('json'))
      const given = await draftAccess(agent, bytes, choice)
      return context.json(previewView(foresee(given, versionsOf(await record.versions()))), 200)
    })
  )
  app.openapi(whyRoute, async context =>
    keeper.hold(async () => {
      const { who, entry, compartment, right = 'read', atS = secondsOf(clock) } = context.req.valid('json')
      const why = await explain(agent, {
        who: fromHex(who),
        right: right === 'read' ? RIGHT_READ : RIGHT_WRITE,
        atS,
        ...(entry == null ? {} : { entry }),
        ...(compartment == null ? {} : { compartment })
      })
      return context.json({ ...why, steps: [...why.steps] }, 200)
    })
  )
}

/**
 * A request for access as the API's client names it, with what the patient makes of it.
 *
 * @throws SalusError `HTTP_BODY_SHAPE`, `REQUEST_UNKNOWN`, `ENTRY_UNKNOWN`
 */
export async function grantChoiceOf(
  agent: Agent,
  body: z.infer<typeof grantRequest>
): Promise<{ readonly bytes: Uint8Array; readonly choice: GrantChoice }> {
  const { code, request, rights, days, items, roleTemplate: template, careTeam = false, ...rest } = body
  if ((code == null) === (request == null)) {
    throw new SalusError('HTTP_BODY_SHAPE', 'Name the request by its code or by its id, not by both.')
  }
  const bytes = code == null ? requestNamed(agent, request ?? '') : readCodeText(agent.p, 'REQUEST', code)
  const choice = {
    ...rest,
    rights: rights == null ? undefined : rightBits(rights),
    days: days == null ? undefined : { fromDay: Date.parse(days.from) / DAY_MS, toDay: Date.parse(days.to) / DAY_MS },
    items: items == null ? undefined : await itemsOf(agent, items),
    judge:
      template == null
        ? undefined
        : async (wish: Parameters<typeof judgeByRole>[2]) =>
            judgeByRole(agent, { template, isInCareTeam: careTeam }, wish)
  }
  return { bytes, choice: given(choice) }
}

async function itemsOf(
  { record }: Agent,
  items: readonly { readonly entry: string; readonly paths?: readonly string[] | undefined }[]
): Promise<NonNullable<GrantChoice['items']>> {
  const wishes: NonNullable<GrantChoice['items']>[number][] = []
  for (const { entry, paths = [] } of items) wishes.push({ sealed: await record.sealed(entry), paths })
  return wishes
}

/** Leaves out what is not given: an option that is there counts. */
function given<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as never
}

function previewView({ sections, seen, sensitive, hidden, fromDay, toDay }: Preview): z.infer<typeof previewBody> {
  const dayText = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10)
  return {
    words: describePreview({ sections, seen, sensitive, hidden, fromDay, toDay }),
    seen,
    hidden,
    sensitive,
    from: fromDay > toDay ? null : dayText(fromDay),
    to: fromDay > toDay || toDay >= LAST_DAY ? null : dayText(toDay),
    sections: sections.map(each => ({ ...each, kinds: { ...each.kinds } }))
  }
}

/** Ends a grant, waits until the nodes refuse it, and says what the former grantee may still hold. */
export async function endAndWatch(agent: Agent, grantId: Uint8Array): Promise<z.infer<typeof revokedBody>> {
  const { clock, accounts, node, nodeUrl, replicas } = agent
  const begunMs = clock()
  const before = (await accounts.patient()).account
  const progress = await endAccess(agent, grantId)
  const tookMs = clock() - begunMs
  const watched = [{ url: nodeUrl, client: node }, ...replicas]
  // While it waits for the node or the chain there is nothing to be seen yet.
  const waitMs = progress.state === 'done' ? WATCH_MS : 0
  const refusals = await watchRefusals(clock, watched, { grantId, begunMs, waitMs })
  const times = refusals.map(({ refusedAfterMs }) => refusedAfterMs)
  const last = times.reduce<number | null>((a, b) => (a == null || b == null ? null : Math.max(a, b)), 0)
  const left = await leftover(agent, async () =>
    leftoverOf(grantOf(before, grantId), before.state, agent.record, agent.accessSources)
  )
  return {
    grant: toHex(grantId),
    progress: progressView(progress),
    tookMs,
    refusedAfterS: last == null ? null : last / 1000,
    replicas: refusals,
    mayHold: left == null ? null : [...left.mayHold],
    opened: (left?.opened ?? []).map(({ grantId: grant, ...rest }) => ({ ...rest, grant }))
  }
}

/** The grant has ended by now: that its traces cannot be read just now must not look as if it had not. */
async function leftover({ log }: Agent, look: () => Promise<Leftover>): Promise<Leftover | null> {
  try {
    return await look()
  } catch (error) {
    if (!isSalusError(error)) throw error
    log.warn({ code: error.code }, 'what a former grantee may hold could not be read')
    return null
  }
}
