// The name that a message has before the server gives it a number. `randomUUID` exists only in secure contexts, and
// an installation in a home network is often plain http.

export function newClientId(source: Crypto = crypto): string {
  if (typeof source.randomUUID === 'function') return source.randomUUID();
  const bytes = source.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
