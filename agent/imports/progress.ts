/** How an import stands. */
export interface ImportProgress {
  readonly id: string
  readonly state: 'running' | 'waiting' | 'done' | 'refused'
  /** What holds it up, or what it was refused with. */
  readonly code: string | null
  /** Resources in the source; null before it was read again after a restart. */
  readonly resources: number | null
  /** How many of them are not as FHIR asks; they are kept all the same. */
  readonly unsound: number | null
  /** Entries that are written. */
  readonly done: number
  /** Id of the entry that makes the source again, once it is written. */
  readonly manifest: string | null
}
