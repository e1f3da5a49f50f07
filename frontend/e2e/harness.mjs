// A chatd of its own for the browser tests, and a wire in front of it that can be cut. The browser talks to the wire;
// the harness itself talks to the server, so that messages arrive "from elsewhere" while the browser is away.

import { connect, createServer } from 'node:net';
import { passwordOf, startProgram } from './program.mjs';

const USERS = ['ann', 'bob', 'carol', 'dora', 'emil', 'fay', 'gus', 'hana', 'ivo', 'jana', 'rosa', 'sven'];

/** @param {{ database?: 'sqlite' | 'mariadb' }} options */
export async function startHarness({ database = 'sqlite' } = {}) {
  const env = {
    CHATD_LOGIN_FAILURES_PER_MINUTE: '100000',
    CHATD_SIGNUP: 'invite',
    CHATD_INVITES_BY: 'everybody',
  };
  const server = await startProgram({ database, users: USERS, env });
  const wire = await cuttable(server.port);
  const direct = `http://127.0.0.1:${server.port}/`;
  const cookies = new Map();

  async function request(user, path, body, method = body === undefined ? 'GET' : 'POST') {
    if (!cookies.has(user)) cookies.set(user, await signIn(direct, user));
    for (;;) {
      const answer = await fetch(`${direct}api/v1/${path}`, {
        method,
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
    addUser: server.addUser,
    addSuperuser: server.addSuperuser,
    command: server.command,
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
    post: (user, path, body) => request(user, path, body),
    change: (user, path, body) => request(user, path, body, 'PATCH'),
    conversation: (user, peer) => request(user, `conversation/${encodeURIComponent(peer)}/`),
    read: (user, peer, seq) => request(user, `conversation/${encodeURIComponent(peer)}/read/`, { seq }),
    /** What a browser holds in which somebody has signed in. */
    cookiesOf: async (user) =>
      (await signIn(direct, user)).split('; ').map((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return { name, value, url: `http://127.0.0.1:${wire.port}/` };
      }),
    cut: wire.cut,
    mend: wire.mend,
    kill: server.kill,
    restart: server.start,
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
