import { toHex } from '#core/encoding/bytes.ts'
import type { LogItem } from '#core/log/item.ts'

/** Gives equal parts of items one place in memory: of a hundred thousand headers few differ in author, grant and tag. */
export function createPool(): (item: LogItem) => LogItem {
  const texts = new Map<string, string>()
  const bytes = new Map<string, Uint8Array>()
  const text = (value: string): string => {
    const held = texts.get(value)
    if (held == null) texts.set(value, value)
    return held ?? value
  }
  /** A copy of its own: what was decoded is a view that holds on to the whole header. */
  const copy = (value: Uint8Array): Uint8Array => {
    const key = toHex(value)
    const held = bytes.get(key) ?? value.slice()
    bytes.set(key, held)
    return held
  }
  return item => ({
    ...item,
    tag: text(item.tag),
    evidence: text(item.evidence),
    author: copy(item.author),
    grant: item.grant == null ? null : copy(item.grant)
  })
}
