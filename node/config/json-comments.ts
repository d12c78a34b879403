/** JSON with comments from `//` to the end of the line, for files that people write. */

/** The same text with each comment replaced by spaces, so that places in it stay where they are. */
export function withoutComments(text: string): string {
  let plain = ''
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (!isText && char === '/' && text.charAt(at + 1) === '/') {
      const end = endOfLine(text, at)
      plain += ' '.repeat(end - at)
      at = end - 1
      continue
    }
    plain += char
    if (char === '\\' && isText) plain += text.charAt(++at)
    else if (char === '"') isText = !isText
  }
  return plain
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}
