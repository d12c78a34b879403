/** The clinician: asking, holding, reading, writing. */
import { readCodeText } from '#core/agent/code-text.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { UNLIMITED_USES } from '#core/grant/terms.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { BODY_HEADERS, typeOf } from '#agent/api/record-routes.ts'
import { bytesRoute, fileRoute, getRoute, none, postRoute } from '#agent/api/route.ts'
import { codeView, entryView, heldView, rightBits } from '#agent/api/views.ts'
import {
  claimBody,
  claimRequest,
  clinicianBody,
  heldBody,
  newClinician,
  newRequest,
  shownRequestBody,
  writeQuery,
  writtenBody
} from '#agent/api/clinician-wire.ts'
import { entriesBody, grantEntryParam, grantParam, MAX_PAGE_ITEMS, pageQuery } from '#agent/api/wire.ts'
import { createClinicianAccount } from '#agent/clinician/account.ts'
import { writeEntry } from '#agent/clinician/entries.ts'
import { invitationTo } from '#agent/clinician/invitations.ts'
import {
  claimFromCustodians,
  claimUse,
  fetchGrant,
  listAccess,
  refreshGrant,
  takeAnswer
} from '#agent/clinician/grants.ts'
import { makeRequest } from '#agent/clinician/requests.ts'
import { secondsOf } from '#agent/components.ts'
import { bodyOf } from '#node/http/body.ts'

const createRoute = postRoute('/v1/clinician', 'Makes a clinician', {
  params: none,
  body: newClinician,
  answer: clinicianBody
})
const requestRoute = postRoute('/v1/clinician/requests', 'Makes a signed request, to be shown to a patient', {
  params: none,
  body: newRequest,
  answer: shownRequestBody
})
const claimRoute = postRoute('/v1/clinician/claims', 'Takes an answer, and a use of the grant where they are counted', {
  params: none,
  body: claimRequest,
  answer: claimBody
})
const grantsRoute = getRoute('/v1/clinician/grants', 'Everything that was granted to this clinician', {
  params: none,
  query: none,
  answer: heldBody
})
const entriesRoute = getRoute('/v1/clinician/grants/{id}/entries', 'A record, as the grant opens it', {
  params: grantParam,
  query: pageQuery,
  answer: entriesBody
})
const bodyRoute = bytesRoute('/v1/clinician/grants/{id}/entries/{name}/body', 'What an entry says', {
  params: grantEntryParam
})
const writeRoute = fileRoute('/v1/clinician/grants/{id}/entries', 'Writes an entry under the grant', {
  params: grantParam,
  query: writeQuery,
  answer: writtenBody
})

const WAIT_MS = 15_000
const REQUEST_VALID_S = 600

/** Adds the routes. */
export function addClinicianRoutes(app: AgentApp, agent: Agent): void {
  const { p, keeper, accounts, granted, clock } = agent

  app.openapi(createRoute, async context =>
    keeper.hold(async () => {
      const { wallet } = context.req.valid('json')
      const reference =
        wallet == null ? undefined : ({ kind: 'rpc', url: wallet.url, address: fromHex(wallet.address, 20) } as const)
      await createClinicianAccount(agent, reference)
      return context.json({ address: toHex((await accounts.clinician()).account.state.address) }, 200)
    })
  )
  app.openapi(requestRoute, async context =>
    keeper.hold(async () => {
      const {
        rights,
        uses = UNLIMITED_USES,
        durationS = 0,
        validS = REQUEST_VALID_S,
        ...rest
      } = context.req.valid('json')
      const code = await makeRequest(agent, { ...rest, rights: rightBits(rights), uses, durationS, validS })
      return context.json({ code: codeView(p, 'REQUEST', code) }, 200)
    })
  )
  app.openapi(claimRoute, async context =>
    keeper.hold(async () => {
      const { code, grant, waitMs = WAIT_MS } = context.req.valid('json')
      if ((code == null) === (grant == null)) {
        throw new SalusError('HTTP_BODY_SHAPE', 'Name an answer by its code or a grant by its id, not both.')
      }
      const grantId =
        code == null ? fromHex(grant ?? '', 32) : await takeAnswer(agent, readCodeText(p, 'ANSWER', code), waitMs)
      const invitation = await invitationTo(agent, grantId)
      if (invitation != null) {
        const holdUp = await claimFromCustodians(agent, invitation, waitMs)
        return context.json({ grant: toHex(grantId), usesLeft: 0, keys: holdUp ?? 'held' }, 200)
      }
      if (code == null) await fetchGrant(agent, grantId, waitMs)
      return context.json({ grant: toHex(grantId), usesLeft: await claimUse(agent, grantId) }, 200)
    })
  )
  app.openapi(grantsRoute, async context =>
    keeper.hold(async () => {
      const held = await listAccess(agent)
      return context.json({ grants: held.map(each => heldView(each, secondsOf(clock))) }, 200)
    })
  )
  app.openapi(entriesRoute, async context =>
    keeper.hold(async () => {
      const { after = 0, limit = MAX_PAGE_ITEMS } = context.req.valid('query')
      const grantId = fromHex(context.req.valid('param').id, 32)
      // The patient may have replaced keys since: the newest open what was written under them.
      await refreshGrant(agent, grantId)
      const { entries, next } = await (await granted.of(grantId)).list({ after, limit })
      return context.json({ entries: entries.map(entryView), next }, 200)
    })
  )
  app.openapi(bodyRoute, async context =>
    keeper.hold(async () => {
      const { id, name } = context.req.valid('param')
      const { content } = await (await granted.of(fromHex(id, 32))).open(name)
      return context.body(Uint8Array.from(content.body), 200, BODY_HEADERS)
    })
  )
  app.openapi(writeRoute, async context =>
    keeper.hold(async () => {
      const { compartment } = context.req.valid('query')
      const type = typeOf(context.req.header('content-type'))
      const grantId = fromHex(context.req.valid('param').id, 32)
      const entry = await writeEntry(agent, grantId, { compartment, type, body: await bodyOf(context) })
      return context.json({ entry: toHex(entry) }, 200)
    })
  )
}
