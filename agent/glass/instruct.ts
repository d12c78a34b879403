/** Laying down, and taking back, what is to follow an alarm (docs/specs/standing-instruction.md). */
import type { StandingCrew, StandingInstruction } from '#core/consent/standing.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import { SalusError } from '#core/error.ts'
import { openRequestCode } from '#core/grant/request-code.ts'
import { RIGHT_WRITE, unpackTerms } from '#core/grant/terms.ts'
import { secondsOf } from '#agent/components.ts'
import type { GlassComponents } from '#agent/glass/glass.ts'

/** What the patient wants; crews are named by the requests that they signed. */
export type InstructionWish = Omit<StandingInstruction, 'crews'> & { readonly crews: readonly Uint8Array[] }

/**
 * Lays an instruction down in place of the one before.
 *
 * @throws SalusError `GRANT_UNKNOWN` and `GRANT_NO_WRITE` of a gateway, `REQUEST_CODE_*` of a crew
 */
export async function instruct(components: GlassComponents, wish: InstructionWish): Promise<StandingInstruction> {
  const { p, deployment, clock, accounts, shelf } = components
  const { account } = await accounts.patient()
  for (const gateway of wish.gateways) {
    const given = account.state.grants.find(each => equalBytes(each.grantId, gateway))
    if (given == null || given.isRevoked) throw new SalusError('GRANT_UNKNOWN', 'The gateway has no such grant.')
    if ((unpackTerms(BigInt(toHex(given.terms))).rights & RIGHT_WRITE) === 0) {
      throw new SalusError('GRANT_NO_WRITE', 'A gateway writes its alarms; this grant lets it only read.')
    }
  }
  const nowS = secondsOf(clock)
  const crews = wish.crews.map((code): StandingCrew => {
    const { address, bundle, name } = openRequestCode(p, code, { target: deployment, nowS })
    return { address, bundle, name }
  })
  const instruction = { ...wish, crews }
  await shelf.standing.update(standing => ({ ...standing, instruction }))
  return instruction
}

/** Takes the instruction back; what alarms opened before stays open until its time is over. */
export async function endInstruction({ shelf }: GlassComponents): Promise<void> {
  await shelf.standing.update(standing => ({ ...standing, instruction: null }))
}
