// Fails when what a visitor must load first has grown beyond its limit (gzip, as it goes over the wire).

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const OUT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'static');
const LIMITS = { js: 60 * 1024, css: 15 * 1024 };
const LAZY_LIMIT = 30 * 1024;

const manifest = JSON.parse(readFileSync(join(OUT, 'manifest.json'), 'utf8'));

/** An entry with everything it imports at once. */
function files(name, seen = new Set()) {
  const chunk = manifest[name];
  if (!chunk || seen.has(name)) return [];
  seen.add(name);
  return [chunk.file, ...(chunk.css ?? []), ...(chunk.imports ?? []).flatMap((each) => files(each, seen))];
}

let over = false;
for (const entry of ['index.html', 'src/login.ts']) {
  const loaded = [...new Set(files(entry))];
  for (const [kind, limit] of Object.entries(LIMITS)) {
    const parts = loaded.filter((file) => file.endsWith(`.${kind}`));
    const size = parts.reduce((sum, file) => sum + gzipSync(readFileSync(join(OUT, file))).length, 0);
    over ||= size > limit;
    const verdict = size > limit ? 'TOO LARGE' : 'ok';
    process.stdout.write(`${entry} ${kind}: ${(size / 1024).toFixed(1)} KiB of ${limit / 1024} ${verdict}\n`);
    // Each further file is a request before the page can begin.
    if (parts.length > 1) {
      over = true;
      process.stdout.write(`${entry} ${kind}: MORE THAN ONE FILE, ${parts.join(', ')}\n`);
    }
  }
}
for (const { file, isDynamicEntry } of Object.values(manifest)) {
  const size = isDynamicEntry ? gzipSync(readFileSync(join(OUT, file))).length : 0;
  if (size <= LAZY_LIMIT) continue;
  over = true;
  process.stdout.write(
    `${file}, loaded later: ${(size / 1024).toFixed(1)} KiB of ${LAZY_LIMIT / 1024} TOO LARGE\n`,
  );
}
process.exitCode = over ? 1 : 0;
