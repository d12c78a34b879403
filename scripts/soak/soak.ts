/** What every soak is told and reports. */
export interface SoakInit {
  /** How often the thing that may go wrong is done. */
  readonly times: number
  /** Nodes that take part. */
  readonly nodes: number
  /** Says how it goes. */
  readonly progress: (text: string) => void
}

/** Figures of a soak by name. */
export type SoakFigures = Readonly<Record<string, number>>

/** What came of a soak. */
export interface SoakReport {
  /** Whether everything held that had to. */
  readonly ok: boolean
  readonly figures: SoakFigures
}
