// Takes a picture of each screen and of each state, at two widths, light and dark, and once in Arabic, of a chatd of its own:
//   npm run screens [-- DIRECTORY]
// Without a directory a new one is made below the system's temporary one. Pictures are for looking at; none is kept here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const directory = process.argv[2] ? resolve(process.argv[2]) : mkdtempSync(join(tmpdir(), 'chatd-screens-'));
if (!relative(ROOT, directory).startsWith('..')) {
  process.stderr.write(`${directory} is inside of the repository\n`);
  process.exit(2);
}
const { status } = spawnSync('npx', ['playwright', 'test', '--config=e2e/pictures.config.ts'], {
  cwd: join(import.meta.dirname, '..'),
  stdio: 'inherit',
  env: { ...process.env, SCREENS_DIRECTORY: directory },
});
process.stdout.write(`${directory}\n`);
process.exit(status ?? 1);
