import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { decide } from '#core/consent/decide.ts'
import { readFhirConsent } from '#core/consent/fhir-consent.ts'
import type { ConsentPolicy } from '#core/consent/policy.ts'
import { referenceData } from '#test/reference-data.ts'

interface Decisions {
  readonly resources: { id: string; labels: string[]; date: string; author: string; encounter: string | null }[]
  readonly contexts: { id: string; actor: string; purpose: string; at: string }[]
  readonly decisions: { consent: string; resource: string; context: string; decision: string; why: string }[]
}

/** How the reference names our reasons. */
const REASONS: Readonly<Record<string, string>> = {
  'sub-provision-permit': 'exception-permit',
  'sub-provision-deny': 'exception-deny'
}

describe('the decisions of IHE Privacy Consent on FHIR', () => {
  it('are made as the reference says, all of them, and for the same reason', function () {
    const folder = referenceData(this, 'records/fhir/ihe')
    const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'))
    const { resources, contexts, decisions } = read('pcf-decisions.json') as Decisions
    const group = read('pcf-json/ex-privilegedUsers.json') as { member: { entity: { reference: string } }[] }
    const membersOf = (reference: string): string[] =>
      reference === 'Group/ex-privilegedUsers' ? group.member.map(({ entity }) => entity.reference) : []
    const policies = new Map<string, ConsentPolicy>()
    for (const { consent } of decisions) {
      if (!policies.has(consent)) policies.set(consent, readFhirConsent(read(`pcf-json/${consent}.json`), membersOf))
    }

    const differences = decisions.flatMap(({ consent, resource, context, decision, why }) => {
      const facts = resources.find(({ id }) => id === resource)
      const asked = contexts.find(({ id }) => id === context)
      const policy = policies.get(consent)
      if (facts == null || asked == null || policy == null) return [`${consent}: incomplete`]
      const made = decide(
        policy,
        { actors: [asked.actor], purpose: asked.purpose, action: 'access', at: asked.at },
        { ...facts, reference: facts.id, codes: [] }
      )
      const isSame = made.isPermitted === (decision === 'permit') && made.reason === (REASONS[why] ?? why)
      return isSame ? [] : [`${consent} ${resource} ${context}: ${made.reason} instead of ${why}`]
    })

    expect(differences).to.deep.equal([])
    expect(decisions).to.have.lengthOf(1656)
    expect(policies.size).to.equal(23)
  })
})
