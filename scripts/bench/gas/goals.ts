/** What a call is measured against. */
export interface Goal {
  /** Matches the name of the row. */
  readonly row: RegExp
  readonly what: string
  /** For each of {@link unitsOf}. */
  readonly atMost: number
}

/** Another's figure for the same service, as published. */
export interface Rival {
  readonly row: RegExp
  readonly name: string
  readonly gas: number
}

/** The goals of the contracts, each for one call in its usual state: slots cold, not the first of its kind. */
export const GOALS: readonly Goal[] = [
  { row: /^AccessGrants\.grantWithAccount\b/, what: 'one grant, relayed', atMost: 56_000 },
  { row: /^AccessGrants\.grantBatch, 100/, what: 'a grant in a batch of 100', atMost: 12_000 },
  { row: /^AccessGrants\.claimByAccount/, what: 'a claim, direct', atMost: 30_000 },
  { row: /^AccessGrants\.revokeByAccount/, what: 'a revocation, direct', atMost: 32_000 },
  { row: /^AccessGrants\.grant, .*passkey/, what: 'one grant, by passkey', atMost: 90_000 },
  { row: /^BatchAnchors\.anchorByAccount, later/, what: 'an anchor by the gateway', atMost: 32_000 },
  {
    row: /^BatchAnchors\.anchorGatewaysByAccount, 1,000 gateways, later/,
    what: 'an anchor for 1,000 gateways together',
    atMost: 30_000
  },
  { row: /^FirmwareRegistry\.publish, 3 of 5.*later/, what: 'a release by three of five', atMost: 130_000 },
  { row: /^FirmwareRegistry\.holdOnDuty/, what: 'a hold, direct', atMost: 30_000 }
]

/** How many of a thing one call does: the number at the end of names such as `grantBatch, 100` and `issue, each of 20`. */
export function unitsOf(name: string): number {
  return Number(/(?:Batch, |each of )(\d+)$/.exec(name)?.[1] ?? 1)
}

/**
 * Grants: the figure of Romel et al., https://arxiv.org/abs/2511.17464, and MedRec 2, which deploys a contract of 5,007 bytes for each
 * pair of patient and provider: 53,000 for the creation, and for a byte about 16 of calldata and 200 to keep it. Timestamps: one call of
 * the Ethereum Attestation Service's `timestamp`, measured with its storage layout.
 */
export const RIVALS: readonly Rival[] = [
  { row: /^AccessGrants\.grant/, name: 'a grant of Romel et al.', gas: 78_000 },
  { row: /^AccessGrants\.grant/, name: 'a relationship of MedRec 2', gas: 53_000 + 216 * 5_007 },
  { row: /^BatchAnchors\.anchor.*, later/, name: 'a timestamp of EAS', gas: 45_780 }
]
