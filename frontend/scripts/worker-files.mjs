// Tells the service worker which files its build has, and gives the build a name that changes with any of them: then the
// browser sees another worker, and loads them anew. For `vite.config.ts`.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PUBLIC = join(import.meta.dirname, '..', 'public');
/** The sign-in page comes from the server alone; icons are for installing. */
const NOT_OFFLINE = /^assets\/login-|\.png$|\.webmanifest$/;

/** @returns {import('vite').Plugin} */
export function workerFiles() {
  return {
    name: 'worker-files',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['sw.js'];
      if (worker?.type !== 'chunk') throw new Error('the service worker is not in the bundle');
      const named = readdirSync(PUBLIC).sort();
      const built = Object.keys(bundle)
        .filter((name) => /^assets\/.*\.(js|css)$/.test(name))
        .sort();
      const files = [...built, ...named].filter((name) => !NOT_OFFLINE.test(name));
      const hash = createHash('sha256').update(JSON.stringify(files));
      for (const name of named) hash.update(readFileSync(join(PUBLIC, name)));
      const page = bundle['index.html'];
      if (page?.type !== 'asset') throw new Error('the page is not in the bundle yet');
      hash.update(page.source);
      worker.code = worker.code
        .replace(/(["'`])__VERSION__\1/, JSON.stringify(hash.digest('hex').slice(0, 12)))
        .replace(/(["'`])__FILES__\1/, JSON.stringify(files));
      if (/__(VERSION|FILES)__/.test(worker.code)) throw new Error('the service worker was not filled in');
    },
  };
}
