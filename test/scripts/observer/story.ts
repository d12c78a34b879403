import type { TestChain } from '#test/contracts/chain.ts'
import { openWorld, type EmergencyWorld } from '#test/contracts/emergency-world.ts'
import { WAYS, accountKey, type Key } from '#test/contracts/keys.ts'
import { runFirmware } from '#test/scripts/observer/firmware-story.ts'
import { govern } from '#test/scripts/observer/governance-story.ts'
import { CAREFUL, type Habits } from '#test/scripts/observer/habits.ts'
import { runNetwork } from '#test/scripts/observer/network-story.ts'
import { changeHands, haveEmergencies, takeConsent, useGrants } from '#test/scripts/observer/patient-story.ts'
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

/** The part that is about the patient, by an agent with these habits. */
export async function tellOfPatient(
  chain: TestChain,
  world: EmergencyWorld,
  habits: Habits = CAREFUL
): Promise<Story> {
  const doctor = accountKey('doctor of both')
  const keys = [accountKey('wallet'), await passkey(chain, 'first passkey'), await passkey(chain, 'second passkey')]
  const relationships: Relationship[] = []
  for (const [number, key] of keys.entries()) {
    const relationship = await openRelationship(chain, key, habits)
    relationships.push(relationship)
    const part = { chain, key, relationship, number, habits }
    await useGrants(part, doctor)
    await takeConsent(part)
    const heir = number === 0 ? accountKey('new wallet') : await passkey(chain, `new passkey ${String(number)}`)
    await haveEmergencies(part, world)
    await changeHands(part, heir)
    await habits.pause(chain)
  }
  const staff = [world.rita.id, world.ritas, world.ben.id, world.bens]
  return { relationships, sharedGrantee: doctor.id, staff }
}

async function passkey(chain: TestChain, label: string): Promise<Key> {
  const way = WAYS.find(({ name }) => name.startsWith('a passkey'))
  if (way == null) throw new Error('no passkeys')
  return way.create(chain, label)
}
