// What the service worker does: it keeps the client's own files, and gives the page from there when the network is away.
// Nothing personal is in them: the page is the same for everybody, and what somebody wrote or read is kept elsewhere
// (`device/`). The API and the live link are none of its business.
//
// Each build has a cache of its own, so that a page and its parts are always of one build. The one before stays: a tab
// that still runs it may need a part that it has not loaded yet, and the server has it no more.

export interface ShellOptions {
  readonly caches: CacheStorage;
  readonly fetch: (input: Request | string, init?: RequestInit) => Promise<Response>;
  /** Where the client lives, as a whole address that ends with a slash. */
  readonly scope: string;
  /** Names the build. */
  readonly version: string;
  /** Its files below `static/`. */
  readonly files: readonly string[];
  readonly patience?: number;
}

/** How long a page may wait for the network when it could be had at once. */
const PATIENCE_MS = 3_000;
/** Files with a hash in their name: they never change. */
const HASHED = 'assets/';
const ADDRESSES = /^(?:requests\/|c\/[^/]+\/(?:\d+\/)?|settings\/(?:[^/]+\/)?)?$/;

export function createShell(options: ShellOptions) {
  const { caches, fetch, scope, version, files, patience = PATIENCE_MS } = options;
  const prefix = `chatd ${new URL(scope).pathname} `;
  const name = prefix + version;
  const root = `${scope}static/`;

  /** Everything or nothing: what fails is tried again with the next page. */
  async function fill(): Promise<void> {
    const page = await fetch(scope, { redirect: 'manual', cache: 'no-store' });
    if (page.status !== 200 || !isOurs(await page.clone().text()))
      throw new Error('not the page of this build');
    const cache = await caches.open(name);
    await cache.addAll(
      files.map(
        (file) => new Request(root + file, { cache: file.startsWith(HASHED) ? 'default' : 'no-cache' }),
      ),
    );
    await cache.put(scope, page);
  }

  /** While servers of two versions answer, the page may be of another build than this worker. */
  function isOurs(page: string): boolean {
    const parts = [...page.matchAll(/static\/(assets\/[^"]+)"/g)].map(([, part = '']) => part);
    return parts.length > 0 && parts.every((part) => files.includes(part));
  }

  async function tidy(): Promise<void> {
    // In the order in which they were made.
    const others = (await caches.keys()).filter((each) => each.startsWith(prefix) && each !== name);
    await Promise.all(others.slice(0, -1).map((each) => caches.delete(each)));
  }

  /** Null: the browser asks the network, as without a worker. */
  function answer(request: Pick<Request, 'method' | 'mode' | 'url'>): Promise<Response> | null {
    const { origin, pathname } = new URL(request.url);
    const base = new URL(scope);
    if (request.method !== 'GET' || origin !== base.origin || !pathname.startsWith(base.pathname))
      return null;
    const rest = pathname.slice(base.pathname.length);
    if (request.mode === 'navigate') return ADDRESSES.test(rest) ? page(request as Request) : null;
    const file = rest.startsWith('static/') ? rest.slice('static/'.length) : '';
    if (file.startsWith(HASHED)) return hashed(request as Request);
    return files.includes(file) ? named(request as Request) : null;
  }

  /** The server's own page where it can be had: it knows of upgrades and of who is signed out. */
  async function page(request: Request): Promise<Response> {
    const ours = await kept(scope);
    if (!ours) return fetch(request);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<Response>((resolve) => {
      timer = setTimeout(() => resolve(ours), patience);
    });
    const fresh = fetch(request).then(
      (response) => (response.status >= 500 ? ours : response),
      () => ours,
    );
    return Promise.race([fresh, late]).finally(() => clearTimeout(timer));
  }

  async function hashed(request: Request): Promise<Response> {
    return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
  }

  async function named(request: Request): Promise<Response> {
    try {
      return await fetch(request);
    } catch (error) {
      const ours = await kept(request.url);
      if (ours) return ours;
      throw error;
    }
  }

  async function kept(address: string): Promise<Response | undefined> {
    return (await caches.open(name)).match(address, { ignoreVary: true });
  }

  return { fill, tidy, answer };
}
