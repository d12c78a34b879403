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

/** Numbers that stand in any of the lists. */
export function union(lists: readonly Postings[]): Postings {
  const [only] = lists
  if (only != null && lists.length === 1) return only
  const numbers = new Set(lists.flatMap(list => [...list.numbers.subarray(0, list.count)]))
  return { numbers: Uint32Array.from(numbers).sort(), count: numbers.size }
}
