/** The owner's side of the blind index: what it uploads and how it asks (docs/specs/blind-index.md). */
import type { CID } from 'multiformats/cid'
import type { Primitives, Random } from '#core/crypto/primitives.ts'
import type { AgentKeys } from '#core/identity/agent-keys.ts'
import {
  MAX_LIST_NAMES,
  blindTag,
  decodeBlindList,
  openBlindList,
  sealBlindList,
  verifyBlindList,
  type BlindPlace
} from '#core/search/blind-list.ts'
import { SalusError } from '#core/error.ts'
import { equalBytes, toHex } from '#core/encoding/bytes.ts'
import type { BlindTerm } from '#core/search/blind-terms.ts'

/** The index of one compartment in one generation. */
export interface BlindIndex {
  readonly place: BlindPlace
  /** `blindIndexKey` of the compartment's generation, 32 bytes. */
  readonly key: Uint8Array
}

/** Names by term, as the owner knows them: rebuilt from its local index whenever needed. */
export interface BlindPostings {
  add(term: BlindTerm, name: CID): void
  remove(term: BlindTerm, name: CID): void
  /** The lists that changed since the last call, sealed anew, in the order of their tags. */
  seal(p: Primitives, random: Random, by: Pick<AgentKeys, 'signSeed' | 'bundle'>): Uint8Array[]
}

interface TermPostings {
  readonly term: BlindTerm
  readonly names: Map<string, CID>
  /** Parts that a node was given, which must be kept up even when they empty. */
  parts: number
  revision: number
  isChanged: boolean
}

/**
 * Postings of an index.
 *
 * @param uploaded - the highest revision that a node was given before; its owner keeps it with its state
 */
export function createBlindPostings({ place, key }: BlindIndex, uploaded = 0): BlindPostings {
  const byTerm = new Map<string, TermPostings>()
  const of = (term: BlindTerm): TermPostings => {
    const id = JSON.stringify([term.field, term.value, term.quarter])
    const postings = byTerm.get(id) ?? {
      term,
      names: new Map<string, CID>(),
      parts: 0,
      revision: uploaded,
      isChanged: false
    }
    byTerm.set(id, postings)
    return postings
  }
  return {
    add(term, name) {
      const postings = of(term)
      postings.names.set(name.toString(), name)
      postings.isChanged = true
    },
    remove(term, name) {
      const postings = of(term)
      if (postings.names.delete(name.toString())) postings.isChanged = true
    },
    seal(p, random, { signSeed, bundle }) {
      const lists: { readonly tag: string; readonly bytes: Uint8Array }[] = []
      for (const postings of byTerm.values()) {
        if (!postings.isChanged) continue
        postings.isChanged = false
        postings.revision++
        const names = [...postings.names.values()]
        postings.parts = Math.max(postings.parts, 1, Math.ceil(names.length / MAX_LIST_NAMES))
        for (let part = 0; part < postings.parts; part++) {
          const { term, revision } = postings
          const own = names.slice(part * MAX_LIST_NAMES, (part + 1) * MAX_LIST_NAMES)
          const input = { place, indexKey: key, term, part, names: own, revision, author: bundle.sign, signSeed }
          lists.push({ tag: toHex(blindTag(p, key, term, part)), bytes: sealBlindList(p, random, input) })
        }
      }
      // In the order of tags: that of terms would say which of them came first.
      return lists.sort((a, b) => (a.tag < b.tag ? -1 : 1)).map(({ bytes }) => bytes)
    }
  }
}

/** How a node is asked: the list of a tag, or `undefined` where it has none. */
export type AskNode = (place: BlindPlace, tag: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>

/**
 * Asks a node for the entries of a term. Names that come back are claims of the list's author; the entries themselves prove
 * what they are.
 *
 * @param author - who may make lists: the patient's signing key
 * @throws SalusError `BLIND_LIST_*`, `BLIND_LIST_AUTHOR` (made by someone else), `BLIND_LIST_SIGNATURE`, `BLIND_LIST_PLACE`
 */
export async function askBlind(
  p: Primitives,
  { place, key }: BlindIndex,
  wish: { readonly term: BlindTerm; readonly author: Uint8Array; readonly ask: AskNode }
): Promise<CID[]> {
  const names: CID[] = []
  for (let part = 0; ; part++) {
    const tag = blindTag(p, key, wish.term, part)
    const bytes = await wish.ask(place, tag)
    if (bytes == null) return names
    const list = decodeBlindList(bytes, place)
    refuseUnless(equalBytes(list.author, wish.author), 'BLIND_LIST_AUTHOR', 'the list was made by someone else')
    refuseUnless(verifyBlindList(p, list), 'BLIND_LIST_SIGNATURE', 'the list’s signature does not match')
    const isHere = equalBytes(list.tag, place.tag) && list.generation === place.generation
    refuseUnless(isHere, 'BLIND_LIST_PLACE', 'the list is of another compartment or generation')
    const own = openBlindList(p, list, key, tag)
    names.push(...own)
    if (own.length < MAX_LIST_NAMES) return names
  }
}

function refuseUnless(holds: boolean, code: string, why: string): void {
  if (!holds) throw new SalusError(code, `Refused: ${why}.`)
}
