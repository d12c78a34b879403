/** Cuts a gateway short: at random steps over a simulated disk, with rot, and as a real process that is killed. */
import { nativePrimitives as p } from '#node/crypto/native.ts'
import { deriveGateway } from '#gateway/identity.ts'
import { drawFrom } from '#scripts/soak/gateway/draw.ts'
import { killProcesses } from '#scripts/soak/gateway/kills.ts'
import { playLives, type Lives } from '#scripts/soak/gateway/lives.ts'
import type { SoakInit, SoakReport } from '#scripts/soak/soak.ts'

const LIVES_OF_ONE = 25
/** In a hundred lives of every second gateway a bit rots before. */
const ROT = 20
/** Lives over the simulated disk for each real process that is killed. */
const LIVES_PER_KILL = 250

/** Runs the soak: `times` lives that are cut short. */
export async function soakGateway({ times, progress }: SoakInit): Promise<SoakReport> {
  const identity = await deriveGateway(p, new Uint8Array(32).fill(7))
  const all: Record<keyof Lives, number> = {
    lives: 0,
    acknowledged: 0,
    lost: 0,
    repeated: 0,
    equivocations: 0,
    noticed: 0
  }
  const seed = String(Date.now())
  for (let gateway = 0; all.lives < times; gateway++) {
    const draw = drawFrom(`${seed} ${String(gateway)}`)
    const one = await playLives(identity, draw, { lives: LIVES_OF_ONE, rot: gateway % 2 === 0 ? 0 : ROT })
    for (const key of Object.keys(all) as (keyof Lives)[]) all[key] += one[key]
    if (gateway % 20 === 19) progress(`${String(all.lives)} lives, ${String(all.lost)} lost, seed ${seed}`)
  }
  const kills = await killProcesses({ times: Math.ceil(times / LIVES_PER_KILL), progress })
  const figures = { ...all, ...kills }
  const { lost, repeated, equivocations, killLost, killEquivocations } = figures
  return { ok: lost + repeated + equivocations + killLost + killEquivocations === 0, figures }
}
