// A chatd of its own for the browser tests, and a wire in front of it that can be cut. The browser talks to the wire;
// the harness itself talks to the server, so that messages arrive "from elsewhere" while the browser is away.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startMock } from '../tests/mock-server.mjs';

const USERS = ['ann', 'bob', 'carol', 'dora', 'emil', 'fay', 'gus', 'hana', 'ivo', 'jana'];

const passwordOf = (name) => `pw-${name}-2026`;

export async function startHarness() {
  const server = await backend();
  const wire = await cuttable(server.port);
  const direct = `http://127.0.0.1:${server.port}/`;
  const cookies = new Map();

  async function request(user, path, body) {
    if (!cookies.has(user)) cookies.set(user, await signIn(direct, user));
    for (;;) {
      const answer = await fetch(`${direct}api/v1/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'Content-Type': 'application/json', Cookie: cookies.get(user) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      if (answer.status !== 429) throw new Error(`${path}: ${answer.status} ${text}`);
      const wait = Number(answer.headers.get('Retry-After') ?? 1);
      await new Promise((done) => setTimeout(done, wait * 1_000));
    }
  }

  return {
    url: `http://127.0.0.1:${wire.port}/`,
    password: passwordOf,
    /** Whether the server can be killed and started: not when `CHATD_URL` names one that somebody else runs. */
    ownsServer: server.kill !== undefined,
    send: (from, to, body) => request(from, 'message/', { recipient: to, body }),
    sendMany: async (from, to, bodies) => {
      for (const body of bodies) await request(from, 'message/', { recipient: to, body });
    },
    /** All messages of a conversation as the server has them, oldest first. */
    history: async (user, peer) => {
      const all = [];
      for (let after = 0; ; ) {
        const page = await request(
          user,
          `message/?target=${encodeURIComponent(peer)}&after_seq=${after}&limit=100`,
        );
        const messages = page.results.toReversed();
        if (messages.length === 0) return all;
        all.push(...messages);
        after = messages.at(-1).seq;
      }
    },
    read: (user, peer, seq) => request(user, `conversation/${encodeURIComponent(peer)}/read/`, { seq }),
    cut: wire.cut,
    mend: wire.mend,
    kill: () => server.kill?.(),
    restart: () => server.start?.(),
    stop: async () => {
      await wire.stop();
      await server.stop();
    },
  };
}

async function signIn(direct, user) {
  const answer = await fetch(`${direct}api/v1/session/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: user, password: passwordOf(user) }),
  });
  if (!answer.ok) throw new Error(`${user} cannot sign in: ${answer.status} ${await answer.text()}`);
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

async function backend() {
  if (process.env.CHATD_URL) {
    return { port: Number(new URL(process.env.CHATD_URL).port || 80), stop: async () => {} };
  }
  if (process.env.CHATD_BIN) return program(resolve(process.env.CHATD_BIN));
  const mock = await startMock({ users: USERS });
  return { port: Number(new URL(mock.address).port), stop: mock.stop };
}

/** The real program, on a database of its own. */
async function program(bin) {
  const directory = await mkdtemp(join(tmpdir(), 'chatd-e2e-'));
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    CHATD_PORT: String(port),
    CHATD_DATA_DIR: directory,
  };
  if (process.env.CHATD_DATABASE_URL) env.CHATD_DATABASE_URL = process.env.CHATD_DATABASE_URL;
  const options = { cwd: directory, env };
  let running = null;

  for (const name of USERS) {
    await finished(spawn(bin, ['user', 'add', name, '--password-stdin'], options), `${passwordOf(name)}\n`);
  }

  async function start() {
    running = spawn(bin, ['serve'], {
      ...options,
      stdio: ['ignore', 'ignore', process.env.CHATD_LOG ? 'inherit' : 'ignore'],
    });
    await healthy(port, running);
  }

  async function kill(signal = 'SIGKILL') {
    const dying = running;
    running = null;
    if (!dying || dying.exitCode !== null) return;
    const gone = new Promise((done) => dying.once('exit', done));
    dying.kill(signal);
    await gone;
  }

  await start();
  return {
    port,
    start,
    kill,
    stop: async () => {
      await kill('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function finished(child, input) {
  child.stdin.end(input);
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) =>
      code === 0 ? done() : fail(new Error(`${child.spawnargs.join(' ')}: ${said}`)),
    );
  });
}

async function healthy(port, child) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`chatd ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('chatd does not become healthy');
}

/** Passes bytes on, until it is cut: then every connection ends and new ones are refused. */
async function cuttable(target) {
  const open = new Set();
  let whole = true;
  const server = createServer((client) => {
    if (!whole) return client.destroy();
    const upstream = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const cut = () => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  return {
    port: server.address().port,
    cut,
    mend: () => {
      whole = true;
    },
    stop: () => {
      cut();
      return new Promise((done) => server.close(done));
    },
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
