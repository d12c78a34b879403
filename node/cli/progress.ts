/** What a command prints while it works: one JSON object a line for programs, or words for people. */

/** Says that something happened. */
export type Progress = (event: { readonly event: string; readonly [field: string]: unknown }, words: string) => void

/** Prints to standard output; `json` as asked on the command line. */
export function createProgress(json: boolean): Progress {
  return (event, words) => console.log(json ? JSON.stringify(event) : words)
}
