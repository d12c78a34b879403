import type { ChainFacts } from '#agent/chain/chain-facts.ts'
import type { Deployment } from '#core/chain/deployment.ts'
import type { StoryChain, StoryNode } from '#scripts/story/network.ts'
import type { DemoClinician, DemoPatient } from '#scripts/story/people.ts'
import type { StoryReport } from '#scripts/story/report.ts'

/** What is set up before the first act. */
export interface Stage {
  readonly dataDir: string
  readonly report: StoryReport
  readonly chain: StoryChain
  /** What people’s agents ask the chain itself. */
  readonly facts: ChainFacts
  readonly deployment: Deployment
  readonly deploymentFile: string
  /** Hospital, laboratory, volunteer; the laboratory is restarted on the way. */
  readonly nodes: StoryNode[]
}

/** The people of the story. */
export interface Cast {
  readonly patient: DemoPatient
  readonly doctor: DemoClinician
  readonly nurse: DemoClinician
  /** The doctor's grant. */
  readonly doctorGrant: Uint8Array
}

/** The node of a place on the stage. */
export function nodeAt(stage: Stage, index: 0 | 1 | 2): StoryNode {
  const node = stage.nodes[index]
  if (node == null) throw new Error('the stage has three nodes')
  return node
}

/**
 * States what a step shows.
 *
 * @throws Error if it does not hold
 */
export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}
