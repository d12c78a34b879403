import { openChain, type TestChain } from '#test/contracts/chain.ts'
import { openDesk, type FirmwareDesk } from '#test/contracts/firmware-requests.ts'
import { refusalBy, type Refuse } from '#test/contracts/refusal.ts'

/** What tests of the firmware registry ask for again and again. */
export interface FirmwareFixture {
  /** Expects the registry to refuse, with these arguments if any are given. */
  readonly refuse: Refuse
  /** Lets time pass. */
  readonly wait: (seconds: number) => Promise<void>
}

/** Gives each test of a suite a registered maker on a chain of its own; `prepare` takes both and goes on from there. */
export function firmwareFixture(prepare: (chain: TestChain, desk: FirmwareDesk) => unknown): FirmwareFixture {
  let chain: TestChain
  before(async () => {
    chain = await openChain()
  })
  beforeEach(async () => {
    const desk = openDesk(chain)
    await desk.registerManufacturer()
    await prepare(chain, desk)
  })
  afterEach(() => chain.reset())
  after(() => chain.close())
  return {
    refuse: refusalBy(() => chain.contracts.firmware),
    wait: async seconds => chain.moveTo((await chain.now()) + seconds)
  }
}
