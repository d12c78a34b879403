/** Status, vault and devices. */
import { fromHex, toHex, equalBytes } from '#core/encoding/bytes.ts'
import { revokeDevice } from '#core/agent/device.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp, AgentAppInit } from '#agent/api/agent-app.ts'
import { getRoute, none, postRoute } from '#agent/api/route.ts'
import { progressView } from '#agent/api/views.ts'
import {
  deviceParam,
  devicesBody,
  doneBody,
  newVault,
  passphraseChange,
  patientBody,
  statusBody,
  unlockRequest
} from '#agent/api/wire.ts'
import { replaceKeys } from '#agent/patient/grants.ts'

const statusRoute = getRoute('/v1/status', 'What the agent is and where it stands', {
  params: none,
  query: none,
  answer: statusBody
})
const vaultRoute = postRoute('/v1/vault', 'Makes the vault and leaves it open', {
  params: none,
  body: newVault,
  answer: doneBody
})
const unlockRoute = postRoute('/v1/unlock', 'Opens the vault', { params: none, body: unlockRequest, answer: doneBody })
const lockRoute = postRoute('/v1/lock', 'Shuts the vault and forgets its keys', {
  params: none,
  body: none,
  answer: doneBody
})
const passphraseRoute = postRoute('/v1/passphrase', 'Changes the passphrase', {
  params: none,
  body: passphraseChange,
  answer: doneBody
})
const devicesRoute = getRoute('/v1/devices', 'The person’s devices', {
  params: none,
  query: none,
  answer: devicesBody
})
const revokeDeviceRoute = postRoute(
  '/v1/devices/{id}/revoke',
  'Trusts a device no longer, and replaces the keys of all compartments',
  { params: deviceParam, body: none, answer: patientBody.pick({ progress: true }) }
)

const DONE = { ok: true } as const

/** Adds the routes. */
export function addVaultRoutes(app: AgentApp, agent: Agent, init: AgentAppInit): void {
  const { keeper } = agent

  async function status() {
    const state = await keeper.status()
    const common = {
      version: init.version,
      networkId: agent.deployment.networkId,
      node: init.nodeUrl,
      autoLockS: init.autoLockS
    }
    if (state !== 'unlocked') return { ...common, state, device: null, patient: null, clinician: null }
    const { deviceId, devices, patient, clinician } = keeper.state()
    const name = devices.find(each => equalBytes(each.id, deviceId))?.name ?? ''
    return {
      ...common,
      state,
      device: { id: toHex(deviceId), name },
      patient:
        patient == null
          ? null
          : {
              id: toHex(patient.state.patient),
              signer: toHex(patient.state.signer),
              waiting: patient.operations.length + (await agent.outbox.names()).length,
              backedUp: !patient.backup.isDue
            },
      clinician: clinician == null ? null : { address: toHex(clinician.state.address) }
    }
  }

  app.openapi(statusRoute, async context => context.json(await status(), 200))
  app.openapi(vaultRoute, async context => {
    const { passphrase, deviceName } = context.req.valid('json')
    await agent.createVault(passphrase, deviceName)
    return context.json(DONE, 200)
  })
  app.openapi(unlockRoute, async context => {
    await keeper.unlock(context.req.valid('json').passphrase)
    return context.json(DONE, 200)
  })
  app.openapi(lockRoute, async context => {
    await keeper.lock()
    return context.json(DONE, 200)
  })
  app.openapi(passphraseRoute, async context => {
    const { before, after } = context.req.valid('json')
    await keeper.changePassphrase(before, after)
    return context.json(DONE, 200)
  })
  app.openapi(devicesRoute, async context => {
    const { deviceId, devices } = await keeper.hold(async () => Promise.resolve(keeper.state()))
    const views = devices.map(({ id, name, addedAtMs, revokedAtMs }) => {
      return { id: toHex(id), name, addedAtMs, revokedAtMs, isThis: equalBytes(id, deviceId) }
    })
    return context.json({ devices: views }, 200)
  })
  app.openapi(revokeDeviceRoute, async context =>
    keeper.hold(async () => {
      const id = fromHex(context.req.valid('param').id, 16)
      const also = (state: ReturnType<typeof keeper.state>) => {
        return { ...state, devices: revokeDevice(state.devices, id, agent.clock()) }
      }
      const progress = await replaceKeys(agent, undefined, also)
      return context.json({ progress: progressView(progress) }, 200)
    })
  )
}
