// The real program as a process, on a database of its own: a file, or a new schema on the MariaDB of
// `CHATD_TEST_MARIADB_URL` with the bus on `CHATD_TEST_REDIS_URL`. `CHATD_BIN` is the program, else the debug build.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const BIN = resolve(process.env.CHATD_BIN ?? join(import.meta.dirname, '../../target/debug/chatd'));

export const passwordOf = (name) => `pw-${name}-2026`;

/**
 * @param {object} options
 * @param {'sqlite' | 'mariadb'} [options.database]
 * @param {string[]} [options.users] who has an account from the start
 * @param {number} [options.port] the port to listen on, else a free one
 * @param {Record<string, string>} [options.env] settings, as `CHATD_…`
 */
export async function startProgram({ database = 'sqlite', users = [], port, env = {} } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'chatd-e2e-'));
  const storage = database === 'mariadb' ? await mariadb() : { env: {}, drop: async () => {} };
  const listening = port ?? (await freePort());
  const options = {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      CHATD_PORT: String(listening),
      CHATD_DATA_DIR: directory,
      CHATD_DRAIN_SECONDS: '0',
      // Tests do much in a short time.
      CHATD_LOGINS_PER_MINUTE: '1000000',
      CHATD_MESSAGES_PER_SECOND: '1000000',
      CHATD_MESSAGES_BURST: '1000000',
      CHATD_READS_PER_MINUTE: '10000000',
      ...storage.env,
      ...env,
    },
  };
  let running = null;
  let said = '';

  const addUser = (name, ...more) =>
    finished(
      spawn(BIN, ['user', 'add', name, '--password-stdin', ...more], options),
      `${passwordOf(name)}\n`,
    );

  async function start() {
    running = spawn(BIN, ['serve'], {
      ...options,
      stdio: ['ignore', 'pipe', process.env.CHATD_LOG ? 'inherit' : 'ignore'],
    });
    running.stdout.on('data', (data) => {
      said += data;
    });
    await healthy(listening, running, env.CHATD_PUBLIC_URL);
  }

  async function kill(signal = 'SIGKILL') {
    const dying = running;
    running = null;
    if (!dying || dying.exitCode !== null) return;
    const gone = new Promise((done) => dying.once('exit', done));
    dying.kill(signal);
    await gone;
  }

  await finished(spawn(BIN, ['migrate'], options), '');
  for (const name of users) await addUser(name);
  await start();
  return {
    port: listening,
    addUser,
    addSuperuser: (name) =>
      finished(
        spawn(BIN, ['createsuperuser', '--no-input', '--username', name], {
          ...options,
          env: { ...options.env, CHATD_SUPERUSER_PASSWORD: passwordOf(name) },
        }),
        '',
      ),
    /** Another command of the program, beside the server. What it has printed. */
    command: (...args) => finished(spawn(BIN, args, options), ''),
    start,
    kill,
    /** What it has printed on its standard output. */
    said: () => said,
    stop: async () => {
      await kill('SIGTERM');
      await storage.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A new schema, dropped afterwards. */
async function mariadb() {
  const { CHATD_TEST_MARIADB_URL: given, CHATD_TEST_REDIS_URL: redis } = process.env;
  if (!given || !redis) {
    throw new Error('CHATD_TEST_MARIADB_URL and CHATD_TEST_REDIS_URL are not set: see scripts/with-services');
  }
  const url = new URL(given);
  const name = `chatd_e2e_${randomBytes(6).toString('hex')}`;
  const run = (statement) =>
    finished(
      spawn(
        'mariadb',
        [
          '--no-defaults',
          `--host=${url.hostname}`,
          `--port=${url.port || 3306}`,
          `--user=${decodeURIComponent(url.username)}`,
          `--execute=${statement}`,
        ],
        { env: { ...process.env, MYSQL_PWD: decodeURIComponent(url.password) } },
      ),
      '',
    );
  await run(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  return {
    env: { CHATD_DATABASE_URL: url.href, CHATD_REDIS_URL: redis },
    drop: () => run(`DROP DATABASE ${name}`),
  };
}

function finished(child, input) {
  // A program that ends before it has read everything says why, and that is what counts.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let said = '';
  let printed = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  child.stdout.on('data', (data) => {
    printed += data;
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) =>
      code === 0 ? done(printed) : fail(new Error(`${child.spawnargs.join(' ')}: ${said}`)),
    );
  });
}

async function healthy(port, child, publicUrl) {
  const base = publicUrl ? new URL(publicUrl).pathname.replace(/\/?$/, '/') : '/';
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`chatd ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}${base}healthz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('chatd does not become healthy');
}

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
