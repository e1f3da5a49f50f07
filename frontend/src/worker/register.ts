// Has the browser keep the client's files (`sw.ts`). Only in secure contexts; without it everything works that has a
// network.

/** The one policy that the server's `trusted-types` allows, for the one script that is loaded by its address. */
const POLICY = 'chatd-worker';

interface Policies {
  createPolicy: (
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ) => { createScriptURL: (url: string) => unknown };
}

export function registerWorker(base: string): void {
  const address = `${base}static/sw.js`;
  // The server lets it answer for everything below the base, although its file lies deeper.
  const register = () =>
    navigator.serviceWorker?.register(trusted(address), { scope: base, updateViaCache: 'none' });
  // Not before the page has what it needs itself.
  const begin = () => void Promise.resolve().then(register).catch(ignore);
  if (document.readyState === 'complete') begin();
  else addEventListener('load', begin);
}

function trusted(address: string): string {
  const { trustedTypes } = window as { trustedTypes?: Policies };
  if (!trustedTypes) return address;
  const policy = trustedTypes.createPolicy(POLICY, {
    createScriptURL: (url) => {
      if (url !== address) throw new TypeError('only the service worker');
      return url;
    },
  });
  return policy.createScriptURL(address) as string;
}

/** Refused, or no network just now: the next page tries again. */
function ignore(): void {}
