/** The patient's standing instruction, and the alarms that it judged (docs/specs/standing-instruction.md). */
import { z } from '@hono/zod-openapi'
import { readCodeText } from '#core/agent/code-text.ts'
import { fromHex, toHex } from '#core/encoding/bytes.ts'
import type { StandingInstruction } from '#core/consent/standing.ts'
import type { Agent } from '#agent/agent.ts'
import type { AgentApp } from '#agent/api/agent-app.ts'
import { getRoute, none, postRoute } from '#agent/api/route.ts'
import { doneBody } from '#agent/api/wire.ts'
import { address, bytes16, bytes32, codeText, seconds } from '#agent/api/wire-parts.ts'
import { secondsOf } from '#agent/components.ts'
import { retractAlarm } from '#agent/glass/alarms.ts'
import { endInstruction, instruct } from '#agent/glass/instruct.ts'
import { ALARM_STATES, MAX_NAMED, type JudgedAlarm } from '#agent/glass/standing-shelf.ts'
import { reviseEntry } from '#agent/patient/revise.ts'

const STANDING = '/v1/patient/standing'
const DAY_S = 86_400
const limits = {
  vitalsS: z
    .int()
    .min(0)
    .max(30 * DAY_S),
  durationS: z.int().min(60).max(DAY_S),
  perDay: z.int().min(1).max(24),
  untilS: seconds
}
const newInstruction = z
  .strictObject({
    gateways: z.array(bytes32).min(1).max(MAX_NAMED),
    crews: z.array(codeText).min(1).max(MAX_NAMED),
    ...limits
  })
  .openapi('NewStandingInstruction')
const instructionBody = z.strictObject({
  gateways: z.array(bytes32),
  crews: z.array(z.strictObject({ address, name: z.string() })),
  ...limits
})
const alarmBody = z.strictObject({
  entry: bytes16,
  atS: seconds,
  untilS: seconds,
  crew: address.nullable(),
  grants: z.array(bytes32),
  state: z.enum(ALARM_STATES),
  why: z.string()
})
const standingBody = z
  .strictObject({ instruction: instructionBody.nullable(), alarms: z.array(alarmBody) })
  .openapi('Standing')
const retraction = z.strictObject({ reason: z.string().min(1).max(1000) }).openapi('AlarmRetraction')

const showRoute = getRoute(STANDING, 'The standing instruction, and the alarms that it judged', {
  ...{ params: none, query: none, answer: standingBody }
})
const setRoute = postRoute(STANDING, 'Lays down what is to follow a gateway’s high alarm', {
  ...{ params: none, body: newInstruction, answer: standingBody }
})
const stopRoute = postRoute(`${STANDING}/end`, 'Takes the instruction back', {
  ...{ params: none, body: none, answer: doneBody }
})
const retractRoute = postRoute('/v1/patient/alarms/{entry}/retract', 'Takes a false alarm back, and what it opened', {
  ...{ params: z.object({ entry: bytes16 }), body: retraction, answer: doneBody }
})

/** Adds the routes. */
export function addStandingRoutes(app: AgentApp, agent: Agent): void {
  const { p, keeper, shelf, clock } = agent
  const shown = async (): Promise<z.infer<typeof standingBody>> => {
    const { instruction, alarms } = await shelf.standing.read()
    return { instruction: instruction == null ? null : instructionView(instruction), alarms: alarms.map(alarmView) }
  }

  app.openapi(showRoute, async context => keeper.hold(async () => context.json(await shown(), 200)))
  app.openapi(setRoute, async context =>
    keeper.hold(async () => {
      const { gateways, crews, ...rest } = context.req.valid('json')
      await instruct(agent, {
        ...rest,
        untilS: rest.untilS === 0 ? secondsOf(clock) + 365 * DAY_S : rest.untilS,
        gateways: gateways.map(id => fromHex(id, 32)),
        crews: crews.map(code => readCodeText(p, 'REQUEST', code))
      })
      return context.json(await shown(), 200)
    })
  )
  app.openapi(stopRoute, async context =>
    keeper.hold(async () => {
      await endInstruction(agent)
      return context.json({ ok: true as const }, 200)
    })
  )
  app.openapi(retractRoute, async context =>
    keeper.hold(async () => {
      const { entry } = context.req.valid('param')
      await retractAlarm(agent, fromHex(entry, 16))
      // What was opened is shut by now, also where the record cannot be written to.
      await reviseEntry(agent, { kind: 'retract', entry, reason: context.req.valid('json').reason })
      return context.json({ ok: true as const }, 200)
    })
  )
}

function instructionView({ gateways, crews, ...rest }: StandingInstruction): z.infer<typeof instructionBody> {
  const named = crews.map(({ address: at, name }) => ({ address: toHex(at), name }))
  return { ...rest, gateways: gateways.map(toHex), crews: named }
}

function alarmView({ entry, crew, grants, ...rest }: JudgedAlarm): z.infer<typeof alarmBody> {
  return { ...rest, entry: toHex(entry), crew: crew.length === 0 ? null : toHex(crew), grants: grants.map(toHex) }
}
