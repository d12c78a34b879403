/** How the story tells what it does: words for a person, or one JSON line per step. */
export interface StoryReport {
  /** Runs a step; a failed step is reported and thrown on. */
  step<T>(name: string, says: string, run: () => Promise<T>): Promise<T>
  /** Words between the steps; silent in JSON. */
  say(text: string): void
  /** True while every step held. */
  allOk(): boolean
}

/** Writes to standard output; progress is visible while a step runs where the output is a terminal. */
export function createStoryReport({ json }: { json: boolean }): StoryReport {
  let ok = true
  return {
    allOk: () => ok,
    say: text => {
      if (!json) console.log(text)
    },
    step: async (name, says, run) => {
      const begun = performance.now()
      const elapsed = (): number => Math.round(performance.now() - begun)
      const live = !json && process.stdout.isTTY
      if (live) process.stdout.write(`   …  ${says}`)
      try {
        const result = await run()
        if (json) console.log(JSON.stringify({ step: name, ok: true, ms: elapsed() }))
        else console.log(`${live ? '\r' : ''}   ok ${says} (${(elapsed() / 1000).toFixed(1)} s)`)
        return result
      } catch (error) {
        ok = false
        if (json) console.log(JSON.stringify({ step: name, ok: false, ms: elapsed() }))
        else console.log(`${live ? '\r' : ''}FAILED ${says}`)
        throw error
      }
    }
  }
}
