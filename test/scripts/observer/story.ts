import type { TestChain } from '#test/contracts/chain.ts'
import { openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { WAYS, accountKey, type Key } from '#test/contracts/keys.ts'
import { runFirmware } from '#test/scripts/observer/firmware-story.ts'
import { govern } from '#test/scripts/observer/governance-story.ts'
import { CAREFUL, type Habits } from '#test/scripts/observer/habits.ts'
import { runNetwork } from '#test/scripts/observer/network-story.ts'
import {
  changeHands,
  haveEmergencies,
  takeConsent,
  useGrants,
  type Part,
  type Step
} from '#test/scripts/observer/patient-story.ts'
import { openRelationship, type Relationship } from '#test/scripts/observer/relationship.ts'
import { runResearch } from '#test/scripts/observer/research-story.ts'
import { treat } from '#test/scripts/observer/staff-story.ts'

/** What happened on the chain, by whom it was about. */
export interface Story {
  /** Three relationships of one patient: with a wallet, and with two passkeys of one site. */
  readonly relationships: readonly Relationship[]
  /** Whom more than one of them gave access. */
  readonly sharedGrantee: string
  /** Who helped and reviewed in the emergencies of all: addresses and credentials. */
  readonly staff: readonly string[]
}

/** A patient with three pseudonyms does all that a patient can do, and everybody else what they can do. */
export async function tellStory(chain: TestChain): Promise<Story> {
  const world = await openWorld(chain, accountKey('somebody else'))
  const story = await tellOfPatient(chain, world)
  await treat(chain, world)
  await runNetwork(chain)
  await runFirmware(chain)
  await runResearch(chain)
  await govern(chain)
  return story
}

/** What the patient does in each relationship, in this order. */
export const STEPS: readonly Step[] = [useGrants, takeConsent, haveEmergencies, changeHands]

/** How the patient's part is told. */
export interface Telling {
  readonly habits?: Habits
  readonly steps?: readonly Step[]
  /** Stands in the names of keys, so that the story can be told again on one chain. */
  readonly run?: string
}

/** The part that is about the patient: its agent, of these habits, takes each step in one relationship after the other. */
export async function tellOfPatient(
  chain: TestChain,
  world: EmergencyWorld,
  { habits = CAREFUL, steps = STEPS, run = '' }: Telling = {}
): Promise<Story> {
  const doctor = accountKey('doctor of both')
  const parts: Part[] = []
  for (const number of [0, 1, 2]) {
    const label = `${String(number)} ${run}`
    const key = number === 0 ? accountKey(`wallet ${run}`) : await passkey(chain, `passkey ${label}`)
    const heir = number === 0 ? accountKey(`new wallet ${run}`) : await passkey(chain, `new passkey ${label}`)
    const relationship = await openRelationship(chain, key, habits)
    parts.push({ chain, key, heir, relationship, number, label, habits, doctor, world })
    await habits.pause(chain)
  }
  for (const step of steps) {
    for (const part of parts) {
      await step(part)
      await habits.pause(chain)
    }
  }
  const staff = [world.rita.id, world.ritas, world.ben.id, world.bens]
  return { relationships: parts.map(({ relationship }) => relationship), sharedGrantee: doctor.id, staff }
}

async function passkey(chain: TestChain, label: string): Promise<Key> {
  const way = WAYS.find(({ name }) => name.startsWith('a passkey'))
  if (way == null) throw new Error('no passkeys')
  return way.create(chain, label)
}
