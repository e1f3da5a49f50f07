// chatd's API in memory, for tests of the client and for working on it without the server. Run it by itself with
// `npm run mock`: it serves ../static and three people (password `pw-NAME-2026`). Not a reference for the server.

import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { Model } from './model.mjs';

const FRONTEND = join(dirname(fileURLToPath(import.meta.url)), '..');
const STATIC = join(FRONTEND, '..', 'static');
const TYPES = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
const SIGNED_OUT = [403, { detail: 'Authentication credentials were not provided.' }];
const NOT_FOUND = [404, { detail: 'Not found.' }];
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; " +
  "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'; " +
  "require-trusted-types-for 'script'; trusted-types chatd-worker";

export function startMock({ users = ['ann', 'bob', 'carol'], port = 0, base = '/' } = {}) {
  const model = new Model(users);
  const sessions = new Map();
  const sockets = new Map();
  const requests = [];
  const said = [];
  const faults = [];
  let blocked = false;

  model.onEvent = (user) => {
    for (const [socket, state] of sockets) if (state.user === user) flush(socket, state);
  };

  function flush(socket, state) {
    for (const event of model.events(state.user, state.pos)) {
      state.pos += 1;
      socket.send(JSON.stringify({ type: 'event', cursor: event.cursor, event }));
    }
  }

  function userOf(request) {
    return sessions.get(/(?:^|; )sessionid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]);
  }

  function sessionObject(user) {
    return { user, is_staff: false, is_superuser: false, message_max_length: 10000, messages_to_load: 15 };
  }

  function signIn(response, { username = '', password = '' }) {
    const user = model.find(username);
    if (!user || password !== `pw-${user}-2026`) return null;
    const id = randomUUID();
    sessions.set(id, user);
    response.setHeader('Set-Cookie', `sessionid=${id}; Path=/; HttpOnly; SameSite=Lax`);
    return user;
  }

  function history(user, url) {
    const query = url.searchParams;
    const peer = model.find(query.get('target') ?? '');
    const all = (peer && model.between(user, peer)?.messages) || [];
    const limit = Number(query.get('limit') ?? 15);
    const number = (name) => (query.has(name) ? Number(query.get(name)) : null);
    const [before, after, around] = ['before_seq', 'after_seq', 'around_seq'].map(number);
    let from = 0;
    if (before !== null) from = Math.min(before - 1, all.length) - limit;
    if (after !== null) from = after;
    if (around !== null) from = Math.min(around - 1 - Math.floor(limit / 2), all.length - limit);
    const start = Math.max(0, from);
    const end = before !== null ? Math.min(before - 1, all.length) : start + limit;
    const results = all.slice(start, end).reverse();
    const link = (text) => `http://${url.host}${base}api/v1/message/?target=${peer}&${text}&limit=${limit}`;
    return {
      next: results.length > 0 && start > 0 ? link(`before_seq=${start + 1}`) : null,
      previous: results.length > 0 && end < all.length ? link(`after_seq=${end}`) : null,
      results,
    };
  }

  function create(user, { recipient = '', body = '', client_id = null, reply_to = null }) {
    const text = body.trim();
    if (text === '') return [400, { body: ['This field may not be blank.'] }];
    if ([...text].length > 10000) {
      return [400, { body: ['Ensure this field has no more than 10000 characters.'] }];
    }
    const to = model.find(recipient);
    if (!to) return NOT_FOUND;
    const { message, created } = model.send(user, to, text, client_id, reply_to);
    return [created ? 201 : 200, message];
  }

  function one(user, method, id, { body }) {
    const message = model.messages[id - 1];
    if (!message || ![message.user, message.recipient].includes(user)) return NOT_FOUND;
    if (method === 'GET') return [200, message];
    if (message.user !== user) return [403, { detail: 'You do not have permission to perform this action.' }];
    const conversation = model.between(message.user, message.recipient);
    if (method === 'DELETE') {
      model.remove(conversation, message.seq);
      return [204, null];
    }
    if (message.deleted_at !== null) return [409, { detail: 'This message was deleted.' }];
    model.edit(conversation, message.seq, body);
    return [200, model.messages[id - 1]];
  }

  function list(user, url) {
    const limit = Number(url.searchParams.get('limit') ?? 50);
    const from = Number(url.searchParams.get('from') ?? 0);
    const all = model.list(user);
    const more = from + limit < all.length;
    const next = more
      ? `http://${url.host}${base}api/v1/conversation/?limit=${limit}&from=${from + limit}`
      : null;
    return { next, previous: null, results: all.slice(from, from + limit), cursor: model.cursor(user) };
  }

  function events(user, url) {
    const after = url.searchParams.get('after');
    if (after === null) return [200, { events: [], cursor: model.cursor(user), more: false }];
    const pos = model.position(user, after);
    if (pos === null) return [400, { after: ['Enter a valid cursor.'] }];
    if (pos < 0) return [410, { detail: 'This cursor can no longer be served.' }];
    const page = model.events(user, pos, Number(url.searchParams.get('limit') ?? 100));
    const cursor = page.at(-1)?.cursor ?? model.cursor(user, pos);
    return [200, { events: page, cursor, more: cursor !== model.cursor(user) }];
  }

  function people(url) {
    const search = (url.searchParams.get('search') ?? '').toLowerCase();
    const found = model.users.filter((user) => user.toLowerCase().startsWith(search)).sort();
    return { next: null, previous: null, results: found.slice(0, 20).map((username) => ({ username })) };
  }

  function api(request, response, url, body) {
    const path = url.pathname.slice(base.length + 'api/v1/'.length);
    const user = userOf(request);
    if (path === 'session/' && request.method === 'POST') {
      const name = signIn(response, body);
      const wrong = 'Unable to log in with provided credentials.';
      return name ? [200, sessionObject(name)] : [400, { non_field_errors: [wrong] }];
    }
    if (!user) return SIGNED_OUT;
    if (path === 'session/' && request.method === 'DELETE') {
      for (const [id, each] of sessions) if (each === user) sessions.delete(id);
      return [204, null];
    }
    if (path === 'session/') return [200, sessionObject(user)];
    if (path === 'message/' && request.method === 'POST') return create(user, body);
    if (path === 'message/') return [200, history(user, url)];
    if (path.startsWith('message/')) return one(user, request.method, Number(path.split('/')[1]), body);
    if (path === 'conversation/') return [200, list(user, url)];
    if (path === 'event/') return events(user, url);
    if (path === 'user/') return [200, people(url)];
    const named = /^conversation\/([^/]+)\/((read|delivered|accept)\/)?$/.exec(path);
    const peer = named && model.find(decodeURIComponent(named[1]));
    const conversation = peer && model.between(user, peer);
    if (!conversation) return NOT_FOUND;
    if (named[3] === 'accept') {
      model.accept(user, peer);
      return [200, model.settings(conversation, user)];
    }
    if (named[2]) return [200, model[named[3]](user, peer, body.seq)];
    if (request.method === 'PATCH') {
      model.arrange(user, peer, body);
      return [200, model.settings(conversation, user)];
    }
    return [200, { ...model.summary(conversation, user), cursor: model.cursor(user) }];
  }

  async function handle(request, response) {
    const url = new URL(request.url, `http://${request.headers.host}`);
    requests.push({ method: request.method, path: url.pathname, query: url.search });
    response.setHeader('Content-Security-Policy', POLICY);
    const path = `/${url.pathname.slice(base.length)}`;
    if (path === '/healthz') return response.end('ok');
    if (path.startsWith('/static/')) return file(response, path.slice('/static/'.length), base);
    const text = await readBody(request);
    if (path.startsWith('/api/v1/')) {
      const fault = faults.find((each) => each.match(request, url));
      if (fault?.before) return fault.before(request, response);
      const parsed = text === '' ? {} : JSON.parse(text);
      const [status, body] = api(request, response, url, parsed);
      if (fault?.after) return fault.after(request, response);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      return response.end(body === null ? undefined : JSON.stringify(body));
    }
    return page(request, response, path, url, text);
  }

  function page(request, response, path, url, text) {
    if (path === '/login/' && request.method === 'POST') {
      const form = Object.fromEntries(new URLSearchParams(text));
      const next = url.searchParams.get('next') ?? base;
      if (signIn(response, form)) return redirect(response, next.startsWith('/') ? next : base);
      return login(response, form.username ?? '', true);
    }
    if (path === '/login/') return login(response, '', false);
    const mine =
      path === '/' || path === '/requests/' || path === '/settings/' || /^\/c\/[^/]+\/(\d+\/)?$/.test(path);
    if (!mine) return response.writeHead(404).end('not found');
    if (!userOf(request)) return redirect(response, `${base}login/?next=${encodeURIComponent(url.pathname)}`);
    const shell = readFileSync(join(STATIC, 'index.html'), 'utf8')
      .replaceAll('="/static/', `="${base}static/`)
      .replace('name="chatd-base" content="/"', `name="chatd-base" content="${base}"`);
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    return response.end(shell);
  }

  function login(response, username, wrong) {
    const entry = JSON.parse(readFileSync(join(STATIC, 'manifest.json'), 'utf8'))['src/login.ts'];
    const alert = wrong
      ? '<div class="alert" role="alert"><h2>That did not work</h2><p>The user name or the password is not right. Check both and try again.</p></div>'
      : '';
    const template = (name) => readFileSync(join(FRONTEND, '..', 'src', 'http', 'templates', name), 'utf8');
    const html = template('card.html')
      .replace('{{main}}', () => template('login.html'))
      .replaceAll('{{base}}', base)
      .replaceAll('{{css}}', `${base}static/${entry.css?.[0]}`)
      .replaceAll('{{js}}', `${base}static/${entry.file}`)
      .replaceAll('{{lang}}', 'en')
      .replaceAll('{{dir}}', 'ltr')
      .replaceAll('{{title}}', 'Sign in')
      .replaceAll('{{heading}}', 'Please sign in')
      .replaceAll('{{name-label}}', 'Username')
      .replaceAll('{{password-label}}', 'Password')
      .replaceAll('{{sign-in}}', 'Sign in')
      .replaceAll('{{caps-lock}}', 'Caps Lock is on.')
      .replaceAll('{{csrf}}', 'mock')
      .replaceAll(/\{\{(unreachable|passkey|other-ways)\}\}/g, '')
      .replaceAll('{{username}}', username.replaceAll(/[&<>"]/g, ''))
      .replaceAll('{{error}}', alert);
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(html);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      process.stderr.write(`${error.stack}\n`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  const upgrades = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    // Whoever is refused may be gone already.
    socket.on('error', () => {});
    const user = blocked ? undefined : userOf(request);
    if (!user) return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    upgrades.handleUpgrade(request, socket, head, (ws) =>
      greet(ws, user, new URL(request.url, 'http://any')),
    );
  });

  function greet(ws, user, url) {
    const after = url.searchParams.get('after');
    ws.send(JSON.stringify({ type: 'hello', cursor: model.cursor(user) }));
    const pos = after === null ? model.logs.get(user).length : model.position(user, after);
    if (pos === null || pos < 0) {
      ws.send('{"type":"reset"}');
      return ws.close(1000);
    }
    const state = { user, pos };
    sockets.set(ws, state);
    ws.on('error', () => sockets.delete(ws));
    ws.on('message', (data) => {
      const frame = JSON.parse(String(data));
      said.push({ user, ...frame });
      if (frame.type === 'ping') ws.send('{"type":"pong"}');
      if (frame.type === 'typing') passOn(frame.peer, { type: 'typing', peer: user });
    });
    ws.on('close', () => sockets.delete(ws));
    flush(ws, state);
  }

  function passOn(to, frame) {
    for (const [ws, { user }] of sockets) if (user === to) ws.send(JSON.stringify(frame));
  }

  const heads = setInterval(() => {
    for (const [ws, { user }] of sockets)
      ws.send(JSON.stringify({ type: 'head', cursor: model.cursor(user) }));
  }, 20_000);
  heads.unref();

  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const address = `http://127.0.0.1:${server.address().port}${base}`;
      const cutSockets = (code = 1012) => {
        for (const ws of sockets.keys()) ws.close(code);
      };
      const blockSockets = () => {
        blocked = true;
      };
      const unblockSockets = () => {
        blocked = false;
      };
      const stop = () => {
        clearInterval(heads);
        for (const ws of sockets.keys()) ws.terminate();
        server.closeAllConnections();
        return new Promise((done) => server.close(done));
      };
      resolve({
        address,
        model,
        sessions,
        sockets,
        requests,
        said,
        passOn,
        faults,
        cutSockets,
        blockSockets,
        unblockSockets,
        stop,
      });
    });
  });
}

function redirect(response, location) {
  response.writeHead(302, { Location: location });
  response.end();
}

function file(response, name, base) {
  const path = normalize(join(STATIC, name));
  if (!path.startsWith(STATIC) || !existsSync(path)) return response.writeHead(404).end();
  if (name === 'sw.js') response.setHeader('Service-Worker-Allowed', base);
  response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' });
  return createReadStream(path).pipe(response);
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: Number(process.env.PORT ?? 8000) });
  process.stdout.write(`${mock.address}\n`);
}
