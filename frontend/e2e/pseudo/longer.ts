// English with words that are at least 40 % longer, for finding places with too little room. It is never shipped: the
// tests give it to the client where it asks for German, hence the name.

export function longer<T>(words: T): T {
  if (typeof words === 'string') {
    return words.replace(/\p{L}+/gu, (word) => word + word.slice(-Math.ceil(word.length * 0.4))) as T;
  }
  if (typeof words === 'function') return ((...args: unknown[]) => longer(words(...args))) as T;
  if (typeof words !== 'object' || words === null) return words;
  if (Array.isArray(words)) return words.map(longer) as T;
  return Object.fromEntries(Object.entries(words).map(([key, value]) => [key, longer(value)])) as T;
}
