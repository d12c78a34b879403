/** Links that the patient gives out: made, listed and ended. */
import { base64url } from 'multiformats/bases/base64'
import { utf8 } from '#core/encoding/bytes.ts'
import { textOf } from '#core/encoding/text.ts'
import { SalusError } from '#core/error.ts'
import { MAX_SHL_FILE_BYTES, sealShlFile } from '#core/fhir/shl/file.ts'
import { encodeLink } from '#core/fhir/shl/link.ts'
import { createServedLink, isLive, type ShlClaim } from '#core/fhir/shl/served-link.ts'
import { SALT_BYTES, openChunked, sealChunked } from '#core/record/chunked.ts'
import { secondsOf, type AgentComponents } from '#agent/components.ts'
import { collect } from '#agent/fhir-record/export.ts'
import type { LinkServer } from '#agent/links/link-server.ts'

/** What the patient decides. */
export interface LinkWish {
  /** Seconds since 1970-01-01. */
  readonly expiresAtS: number
  readonly passcode?: string
  /** How often it may be opened; null for as often as one likes. */
  readonly claims: number | null
  readonly label?: string
  /** What it opens: FHIR. */
  readonly content: AsyncIterable<Uint8Array>
}

/** A link as its maker sees it. */
export interface ShownLink {
  readonly id: string
  /** The link itself; null where another device's key sealed it. */
  readonly link: string | null
  readonly isLive: boolean
  readonly expiresAtS: number
  readonly claimsLeft: number | null
  readonly attemptsLeft: number
  readonly needsPasscode: boolean
  readonly claims: readonly ShlClaim[]
}

/** The patient's links. */
export interface Links {
  /**
   * Makes a link; it is served from when this resolves. Within `hold`.
   *
   * @throws SalusError `SHL_NOT_SERVED`, `SHL_PASSCODE_SHAPE`, `SHL_SHAPE`, `FHIR_OVERSIZE`
   */
  create(wish: LinkWish): Promise<ShownLink>
  /** Within `hold`. */
  list(): ShownLink[]
  /** @throws SalusError `SHL_UNKNOWN` */
  revoke(id: string): Promise<void>
}

const NOTE_SALT = utf8('salus/agent-link/1')

/**
 * Makes the service.
 *
 * @param shareUrl - where others reach this agent's public address; none if absent
 */
export function createLinks(components: AgentComponents, server: LinkServer, shareUrl: string | undefined): Links {
  const { p, random, clock, keeper } = components
  const placeOf = (url: string) => ({
    key: p.hkdfSha256(keeper.state().deviceSeed, NOTE_SALT, utf8('note'), 32),
    context: utf8(url)
  })
  const linkIn = (url: string, sealed: Uint8Array): string | null => {
    try {
      return textOf(openChunked(p, { ...placeOf(url), sealed })) ?? null
    } catch {
      return null
    }
  }
  const shown = (id: string): ShownLink => {
    const state = server.list().get(id)
    if (state == null) throw new SalusError('SHL_UNKNOWN', 'There is no such link here.')
    const { link, url, note } = state
    const { expiresAtS, claimsLeft, attemptsLeft, claims, passcode } = link
    return {
      ...{ id, link: linkIn(url, note), isLive: isLive(link, secondsOf(clock)), needsPasscode: passcode != null },
      ...{ expiresAtS, claimsLeft, attemptsLeft, claims }
    }
  }
  return {
    async create({ expiresAtS, passcode, claims, label, content }) {
      if (shareUrl == null) {
        throw new SalusError(
          'SHL_NOT_SERVED',
          'Nobody could open it: run the agent with --share-listen and --share-url.'
        )
      }
      const secret = base64url.encode(random(32)).slice(1)
      const url = `${shareUrl.replace(/\/$/, '')}/shl/${secret}`
      const key = random(32)
      const link = createServedLink(p, random, {
        ...{ expiresAtS, claims, fileCount: 1 },
        ...(passcode == null ? {} : { passcode })
      })
      const isLongTerm = claims == null
      const text = encodeLink({
        ...{ url, key, expiresAtS, isLongTerm, needsPasscode: passcode != null, isDirect: false },
        ...(label == null ? {} : { label })
      })
      const bytes = await collect(content, MAX_SHL_FILE_BYTES)
      const file = await sealShlFile(random, key, { contentType: 'application/fhir+json', bytes })
      const note = sealChunked(p, { ...placeOf(url), salt: random(SALT_BYTES), plaintext: utf8(text) })
      return shown(await server.add(secret, { link, url, isLongTerm, note }, file))
    },
    list: () => [...server.list().keys()].map(shown),
    revoke: async id => server.revoke(id)
  }
}
