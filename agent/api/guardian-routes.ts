/** Guardians: the patient's side, the guardian's side, and the device that gets a record back. */
import { base64pad } from 'multiformats/bases/base64'
import { checkNumber, expectCheckNumber } from '#core/agent/code-text.ts'
import type { GuardianPlan } from '#core/agent/guardian-plan.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import {
  approvalBody,
  approvalsRequest,
  cardBody,
  confirmationBody,
  confirmationRequest,
  confirmedBody,
  guardiansBody,
  guardianSharesBody,
  keptBody,
  newGuardians,
  newRecovery,
  recoveredBody,
  recoveryBegunBody,
  recoveryOpenBody,
  recoveryRequest,
  releaseBody,
  releasesRequest,
  shareRequest
} from '#agent/api/guardian-wire.ts'
import { getRoute, none, postRoute } from '#agent/api/route.ts'
import { progressView } from '#agent/api/views.ts'
import { doneBody } from '#agent/api/wire.ts'
import { approveRequest, guardianCard, keepShare, releaseShare, sharesKept } from '#agent/custody/guardian.ts'
import {
  confirmGuardian,
  guardianStatus,
  nameGuardians,
  refreshGuardians,
  vetoRecovery
} from '#agent/custody/guardians.ts'
import { beginRecovery, completeRecovery, openRecovery, recoverFromShares } from '#agent/custody/recovery.ts'

const at = { params: none } as const
const nameRoute = postRoute('/v1/patient/guardians', 'Shares the seed out among guardians', {
  ...at,
  body: newGuardians,
  answer: guardianSharesBody
})
const listRoute = getRoute('/v1/patient/guardians', 'The guardians as they stand', {
  ...at,
  query: none,
  answer: guardiansBody
})
const refreshRoute = postRoute('/v1/patient/guardians/refresh', 'Shares the seed out anew among the same guardians', {
  ...at,
  body: none,
  answer: guardianSharesBody
})
const confirmRoute = postRoute('/v1/patient/guardians/confirmations', 'Takes a guardian’s confirmation', {
  ...at,
  body: confirmationRequest,
  answer: confirmedBody
})
const vetoRoute = postRoute('/v1/patient/guardians/veto', 'Stops a recovery that the patient did not ask for', {
  ...at,
  body: none,
  answer: doneBody
})
const cardRoute = postRoute('/v1/guardian/card', 'This person’s card, for whoever wants it as a guardian', {
  ...at,
  body: none,
  answer: cardBody
})
const keepRoute = postRoute('/v1/guardian/shares', 'Keeps a share for somebody', {
  ...at,
  body: shareRequest,
  answer: confirmationBody
})
const keptRoute = getRoute('/v1/guardian/shares', 'For whom shares are kept', { ...at, query: none, answer: keptBody })
const approveRoute = postRoute('/v1/guardian/approvals', 'Consents to a recovery', {
  ...at,
  body: recoveryRequest,
  answer: approvalBody
})
const releaseRoute = postRoute('/v1/guardian/releases', 'Hands a share on after a recovery', {
  ...at,
  body: recoveryRequest,
  answer: releaseBody
})
const beginRoute = postRoute('/v1/recovery', 'Begins to recover a record with its guardians', {
  ...at,
  body: newRecovery,
  answer: recoveryBegunBody
})
const openRoute = postRoute('/v1/recovery/approvals', 'Opens the recovery on the chain', {
  ...at,
  body: approvalsRequest,
  answer: recoveryOpenBody
})
const completeRoute = postRoute('/v1/recovery/complete', 'Completes the recovery on the chain', {
  ...at,
  body: none,
  answer: doneBody
})
const sharesRoute = postRoute('/v1/recovery/releases', 'Makes the account again from the guardians’ shares', {
  ...at,
  body: releasesRequest,
  answer: recoveredBody
})

const pack = (bytes: Uint8Array): string => base64pad.baseEncode(bytes)

function unpack(text: string): Uint8Array {
  try {
    return base64pad.baseDecode(text)
  } catch (cause) {
    throw new SalusError('HTTP_BODY_SHAPE', 'The request is not as documented: expected base64.', { cause })
  }
}

function sharesView({ revision, guardians }: GuardianPlan) {
  return {
    revision,
    shares: guardians.map(({ address, sealed }) => ({ address: toHex(address), share: pack(sealed) }))
  }
}

/** Adds the routes. */
export function addGuardianRoutes(app: AgentApp, agent: Agent): void {
  const { p, keeper } = agent

  app.openapi(nameRoute, async context =>
    keeper.hold(async () => {
      const { cards, threshold, delayS } = context.req.valid('json')
      return context.json(sharesView(await nameGuardians(agent, cards.map(unpack), { threshold, delayS })), 200)
    })
  )
  app.openapi(listRoute, async context =>
    keeper.hold(async () => {
      const status = await guardianStatus(agent)
      if (status == null) throw new SalusError('GUARDIANS_NONE', 'There are no guardians; name at least two.')
      const { revision, threshold, delayS, guardians: kept } = status.plan
      const guardians = kept.map(({ address, isConfirmed }) => ({ address: toHex(address), isConfirmed }))
      const { isActive, recoveryReadyAtS } = status
      return context.json({ guardians, revision, threshold, delayS, isActive, recoveryReadyAtS }, 200)
    })
  )
  app.openapi(refreshRoute, async context =>
    keeper.hold(async () => context.json(sharesView(await refreshGuardians(agent)), 200))
  )
  app.openapi(confirmRoute, async context =>
    keeper.hold(async () => {
      const progress = await confirmGuardian(agent, unpack(context.req.valid('json').confirmation))
      return context.json({ progress: progress == null ? null : progressView(progress) }, 200)
    })
  )
  app.openapi(vetoRoute, async context =>
    keeper.hold(async () => {
      await vetoRecovery(agent)
      return context.json({ ok: true } as const, 200)
    })
  )
  app.openapi(cardRoute, async context =>
    keeper.hold(async () => context.json({ card: pack(await guardianCard(agent)) }, 200))
  )
  app.openapi(keepRoute, async context =>
    keeper.hold(async () => {
      const confirmation = await keepShare(agent, unpack(context.req.valid('json').share))
      return context.json({ confirmation: pack(confirmation) }, 200)
    })
  )
  app.openapi(keptRoute, async context =>
    keeper.hold(async () => {
      const kept = await Promise.resolve(sharesKept(agent))
      return context.json({ shares: kept.map(({ patient, revision }) => ({ patient: toHex(patient), revision })) }, 200)
    })
  )
  app.openapi(approveRoute, async context =>
    keeper.hold(async () => {
      const { request, check } = context.req.valid('json')
      const bytes = unpack(request)
      // Whoever approves unseen approves whatever was swapped in on the way.
      expectCheckNumber(p, bytes, check ?? '')
      return context.json({ approval: pack(await approveRequest(agent, bytes)) }, 200)
    })
  )
  app.openapi(releaseRoute, async context =>
    keeper.hold(async () => {
      const release = await releaseShare(agent, unpack(context.req.valid('json').request))
      return context.json({ release: pack(release) }, 200)
    })
  )
  app.openapi(beginRoute, async context =>
    keeper.hold(async () => {
      const request = await beginRecovery(agent, fromHex(context.req.valid('json').patient, 32))
      return context.json({ request: pack(request), check: checkNumber(p, request) }, 200)
    })
  )
  app.openapi(openRoute, async context =>
    keeper.hold(async () => {
      const readyAtS = await openRecovery(agent, context.req.valid('json').approvals.map(unpack))
      return context.json({ readyAtS }, 200)
    })
  )
  app.openapi(completeRoute, async context =>
    keeper.hold(async () => {
      await completeRecovery(agent)
      return context.json({ ok: true } as const, 200)
    })
  )
  app.openapi(sharesRoute, async context =>
    keeper.hold(async () => {
      const outcome = await recoverFromShares(agent, context.req.valid('json').releases.map(unpack))
      if ('state' in outcome) {
        await agent.operations.resume()
        const { patient, grants } = outcome.state
        return context.json({ patient: toHex(patient), grants: grants.length, missing: 0, wrong: [] }, 200)
      }
      const { missing, wrong } = outcome
      return context.json(
        { patient: null, grants: 0, missing, wrong: wrong.map(({ at: place, code }) => ({ at: place, code })) },
        200
      )
    })
  )
}
