/** Long work in steps of about a millisecond, so that whoever drives it can let something urgent pass between two. */
export type InSteps<T> = Generator<undefined, T, undefined>

/** Does all steps one after the other. */
export function atOnce<T>(steps: InSteps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
