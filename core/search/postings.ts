/** Rising numbers of the documents that hold a term, in little memory. */
export interface Postings {
  numbers: Uint32Array
  count: number
}

/** The list of one number. */
export function createPostings(number: number): Postings {
  return { numbers: Uint32Array.of(number), count: 1 }
}

/** Appends a number that is higher than all before. */
export function appendPosting(postings: Postings, number: number): void {
  if (postings.count === postings.numbers.length) {
    const larger = new Uint32Array(2 * postings.count)
    larger.set(postings.numbers)
    postings.numbers = larger
  }
  postings.numbers[postings.count++] = number
}

/** Numbers that stand in all lists, from the highest down; lazily, so that a page costs what it shows. */
export function* intersect(lists: readonly Postings[]): Generator<number, void, undefined> {
  const [shortest, ...others] = [...lists].sort((a, b) => a.count - b.count)
  if (shortest == null) return
  for (let i = shortest.count - 1; i >= 0; i--) {
    const number = shortest.numbers[i] ?? 0
    if (others.every(list => has(list, number))) yield number
  }
}

function has({ numbers, count }: Postings, wanted: number): boolean {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return low < count && numbers[low] === wanted
}

/** Numbers that stand in any of the lists. They are marked in a row of bits: however many lists there are, memory is for the numbers. */
export function union(lists: readonly Postings[]): Postings {
  const [only] = lists
  if (only != null && lists.length === 1) return only
  const highest = lists.reduce((most, { numbers, count }) => Math.max(most, numbers[count - 1] ?? 0), 0)
  const marks = new Uint8Array((highest >> 3) + 1)
  let count = 0
  for (const list of lists) {
    for (let i = 0; i < list.count; i++) {
      const number = list.numbers[i] ?? 0
      const at = number >> 3
      const bit = 1 << (number & 7)
      if (((marks[at] ?? 0) & bit) !== 0) continue
      marks[at] = (marks[at] ?? 0) | bit
      count++
    }
  }
  const numbers = new Uint32Array(count)
  for (let number = 0, next = 0; next < count; number++) {
    if (((marks[number >> 3] ?? 0) & (1 << (number & 7))) !== 0) numbers[next++] = number
  }
  return { numbers, count }
}
