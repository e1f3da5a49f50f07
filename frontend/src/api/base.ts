// Where chatd lives on this host. The server fills in the meta tag, so the client works under a sub-path.

export function readBase(document: Document): string {
  const content = document.querySelector('meta[name="chatd-base"]')?.getAttribute('content') ?? '/';
  return content.endsWith('/') ? content : `${content}/`;
}

export function socketAddress(location: Location, base: string, cursor: string | null): string {
  const url = new URL(`${base}ws`, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('events', '1');
  if (cursor !== null) url.searchParams.set('after', cursor);
  return url.href;
}
