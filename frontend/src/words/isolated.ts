// A name inside of a sentence of another direction.

/** First strong isolate … pop directional isolate. */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
