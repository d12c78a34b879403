/** A turn that was taken; whoever has it gives it back. */
export type Turn = () => void

/** Turns at something that only a few may do at once: whoever waits under one key waits for its own kind only. */
export interface Turns {
  /**
   * Takes a turn.
   *
   * @param key - whose turn; keys take turns, however many wait under each
   */
  take(key: string): Promise<Turn>
}

/** Turns for `atOnce` at a time. */
export function createTurns(atOnce: number): Turns {
  const waiting = new Map<string, ((turn: Turn) => void)[]>()
  let taken = 0

  function giveBack(): void {
    taken--
    const [next] = waiting
    if (next == null) return
    const [key, queue] = next
    const resolve = queue.shift()
    // Whoever had a turn goes to the end.
    waiting.delete(key)
    if (queue.length > 0) waiting.set(key, queue)
    if (resolve != null) resolve(begin())
  }

  function begin(): Turn {
    taken++
    let isOver = false
    return () => {
      if (!isOver) giveBack()
      isOver = true
    }
  }

  return {
    async take(key) {
      if (taken < atOnce) return begin()
      return new Promise(resolve => {
        const queue = waiting.get(key)
        if (queue == null) waiting.set(key, [resolve])
        else queue.push(resolve)
      })
    }
  }
}
