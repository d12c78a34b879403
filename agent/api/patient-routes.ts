/** The patient, and who gets access. */
import { fromHex, toHex, equalBytes } from '#core/encoding/bytes.ts'
import { readCodeText } from '#core/agent/code-text.ts'
import type { WalletReference } from '#core/agent/agent-state.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { getRoute, none, postRoute } from '#agent/api/route.ts'
import { codeView, grantsView, progressView, requestView } from '#agent/api/views.ts'
import {
  grantedBody,
  grantParam,
  grantRequest,
  grantsBody,
  newPatient,
  patientBody,
  recovery,
  recoveryBody,
  requestBody,
  requestsBody,
  revokedBody,
  scannedCode,
  seedBody,
  seedRequest
} from '#agent/api/wire.ts'
import { secondsOf } from '#agent/components.ts'
import { createPatientAccount, recoverPatientAccount } from '#agent/patient/account.ts'
import { endAndWatch, grantChoiceOf } from '#agent/api/consent-routes.ts'
import { giveAccess } from '#agent/patient/grants.ts'
import { receiveRequest, waitingRequests } from '#agent/patient/requests.ts'
import { openWallet } from '#agent/vault/wallet.ts'

const at = { params: none, query: none } as const
const createRoute = postRoute('/v1/patient', 'Makes a patient and registers its pseudonym', {
  params: none,
  body: newPatient,
  answer: patientBody
})
const seedRoute = postRoute('/v1/patient/seed', 'Hands out the root seed, to be kept on paper or split', {
  params: none,
  body: seedRequest,
  answer: seedBody
})
const recoverRoute = postRoute('/v1/patient/recover', 'Makes the account again from its root seed and the network', {
  params: none,
  body: recovery,
  answer: recoveryBody
})
const grantsRoute = getRoute('/v1/patient/grants', 'The grants that the patient gave', { ...at, answer: grantsBody })
const grantRoute = postRoute('/v1/patient/grants', 'Grants what a request asks for, or less', {
  params: none,
  body: grantRequest,
  answer: grantedBody
})
const revokeRoute = postRoute('/v1/patient/grants/{id}/revoke', 'Ends a grant', {
  params: grantParam,
  body: none,
  answer: revokedBody
})
const requestsRoute = getRoute('/v1/patient/requests', 'Requests that wait', { ...at, answer: requestsBody })
const scanRoute = postRoute('/v1/patient/requests', 'Takes a scanned request in', {
  params: none,
  body: scannedCode,
  answer: requestBody
})

/** A wallet that is asked over JSON-RPC, as the body names it. */
function walletOf(wallet: { url: string; address: string } | undefined): WalletReference | undefined {
  return wallet == null ? undefined : { kind: 'rpc', url: wallet.url, address: fromHex(wallet.address, 20) }
}

/** Adds the routes. */
export function addPatientRoutes(app: AgentApp, agent: Agent): void {
  const { p, keeper, accounts, clock } = agent

  app.openapi(createRoute, async context =>
    keeper.hold(async () => {
      const progress = await createPatientAccount(agent, walletOf(context.req.valid('json').wallet))
      const { patient, signer } = (await accounts.patient()).account.state
      return context.json({ patient: toHex(patient), signer: toHex(signer), progress: progressView(progress) }, 200)
    })
  )
  app.openapi(seedRoute, async context =>
    keeper.hold(async () => {
      await keeper.checkPassphrase(context.req.valid('json').passphrase)
      const { state, wallet } = (await accounts.patient()).account
      return context.json({ seed: toHex(state.seed), wallet: wallet.kind === 'key' ? toHex(wallet.key) : null }, 200)
    })
  )
  app.openapi(recoverRoute, async context =>
    keeper.hold(async () => {
      const { seed, walletKey, wallet } = context.req.valid('json')
      const reference: WalletReference | undefined =
        walletKey == null ? walletOf(wallet) : { kind: 'key', key: fromHex(walletKey, 32) }
      const state = await recoverPatientAccount(agent, fromHex(seed, 32), reference)
      const { account } = await accounts.patient()
      const inControl = equalBytes(openWallet(account.wallet).address, state.signer)
      await agent.operations.resume()
      return context.json({ patient: toHex(state.patient), grants: state.grants.length, inControl }, 200)
    })
  )
  app.openapi(grantsRoute, async context =>
    keeper.hold(async () => {
      const { account } = await accounts.patient()
      return context.json({ grants: grantsView(account, secondsOf(clock)) }, 200)
    })
  )
  app.openapi(grantRoute, async context =>
    keeper.hold(async () => {
      const { bytes, choice } = await grantChoiceOf(agent, context.req.valid('json'))
      const { grantId, answer, progress } = await giveAccess(agent, bytes, choice)
      const view = { grant: toHex(grantId), answer: codeView(p, 'ANSWER', answer), progress: progressView(progress) }
      return context.json(view, 200)
    })
  )
  app.openapi(revokeRoute, async context =>
    keeper.hold(async () => {
      const { id } = context.req.valid('param')
      return context.json(await endAndWatch(agent, fromHex(id, 32)), 200)
    })
  )
  app.openapi(requestsRoute, async context =>
    keeper.hold(async () => {
      const requests = waitingRequests(agent).map(requestView)
      return context.json({ requests: await Promise.resolve(requests) }, 200)
    })
  )
  app.openapi(scanRoute, async context =>
    keeper.hold(async () => {
      const code = readCodeText(p, 'REQUEST', context.req.valid('json').code)
      return context.json(requestView(await receiveRequest(agent, code)), 200)
    })
  )
}
