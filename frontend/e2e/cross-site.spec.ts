// What other sites can make a browser do: nothing. Browsers send `Sec-Fetch-Site` only to addresses that they trust, so
// over plain http under a name `Origin` decides alone, and on 127.0.0.1 the other header does. What the server got to
// see is recorded on the way, so that nothing here rests on what a browser is thought to send.

import type { Page } from '@playwright/test';
import config from '../playwright.config';
import { bubble, connected, expect, say, test, watch } from './fixtures';
import { freePort, passwordOf, startProgram } from './program.mjs';
import { certificate, startProxy, startSite } from './proxy.mjs';

const launchOptions = config.use?.launchOptions ?? {};
test.use({
  launchOptions: {
    ...launchOptions,
    args: [...(launchOptions.args ?? []), '--host-resolver-rules=MAP *.test 127.0.0.1'],
  },
});

const REFUSED = 'This request came from another site and was refused.';

async function signIn(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.getByPlaceholder('Username').fill('ann');
  await page.getByPlaceholder('Password').fill(passwordOf('ann'));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await connected(page);
}

/** A form that this page sends to `action`, as any page can. */
async function sendForm(page: Page, action: string, fields: Record<string, string>, method = 'post') {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().startsWith(action)),
    page.waitForEvent('load'),
    page.evaluate(
      ([url, how, entries]) => {
        const form = document.createElement('form');
        form.action = url;
        form.method = how;
        for (const [name, value] of Object.entries(entries)) {
          const input = document.createElement('input');
          [input.name, input.value] = [name, value];
          form.append(input);
        }
        document.body.append(form);
        form.submit();
      },
      [action, method, fields] as const,
    ),
  ]);
  return answer;
}

const knock = (page: Page, address: string) =>
  page.evaluate(
    (url) =>
      new Promise<string>((done) => {
        const socket = new WebSocket(url);
        socket.onopen = () => done('opened');
        socket.onerror = () => done('refused');
      }),
    address,
  );

const forge = (page: Page, address: string) =>
  page.evaluate(
    (url) =>
      fetch(url, {
        method: 'POST',
        mode: 'no-cors',
        credentials: 'include',
        headers: { 'Content-Type': 'text/plain' },
        body: JSON.stringify({ recipient: 'bob', body: 'forged' }),
      }).then(
        () => undefined,
        () => undefined,
      ),
    address,
  );

const ask = (page: Page, path: string) =>
  page.evaluate(async (address) => (await fetch(address)).json(), `/api/v1/${path}`);

for (const { host, trusted, others } of [
  { host: 'chatd.test', trusted: false, others: ['chatd.test', 'evil.chatd.test', 'other.test'] },
  { host: '127.0.0.1', trusted: true, others: ['127.0.0.1', 'localhost', 'other.test'] },
]) {
  test(`other sites change nothing at ${host}, where the client works`, async ({ browser, problems }) => {
    test.setTimeout(120_000);
    const env = { CHATD_ALLOWED_HOSTS: 'chatd.test' };
    const server = await startProgram({ users: ['ann', 'bob'], env });
    const proxy = await startProxy(server.port);
    const site = await startSite();
    const url = `http://${host}:${proxy.port}/`;
    const context = await browser.newContext();
    await watch(context, problems);
    const page = await context.newPage();
    try {
      await signIn(page, `${url}c/bob/`);
      await say(page, 'hello');
      await expect(bubble(page, 'hello').getByText('Sent')).toBeAttached();

      await test.step('what this browser sends for its own pages', async () => {
        const own = (method: string, path: string) =>
          proxy.seen.find((each) => each.method === method && each.path.startsWith(path));
        const site = trusted ? 'same-origin' : undefined;
        for (const [request, status] of [
          [own('POST', '/login/'), 302],
          [own('POST', '/api/v1/message/'), 201],
        ] as const) {
          expect(request?.status).toBe(status);
          expect(request?.headers.origin).toBe(url.slice(0, -1));
          expect(request?.headers['sec-fetch-site']).toBe(site);
        }
        const socket = own('GET', '/ws');
        expect(socket?.status).toBe(101);
        expect(socket?.headers.origin).toBe(url.slice(0, -1));
        if (!trusted) expect(socket?.headers['sec-fetch-site']).toBeUndefined();
      });

      const other = await context.newPage();
      for (const name of others) {
        const home = `http://${name}:${site.port}/`;
        const from = proxy.seen.length;
        await test.step(`what is tried from ${name} with another port`, async () => {
          const begin = () => other.goto(home);
          const message = { recipient: 'bob', body: 'forged' };
          for (const [path, fields] of [
            ['api/v1/message/', message],
            ['login/', { username: 'bob', password: passwordOf('bob'), csrfmiddlewaretoken: 'x'.repeat(64) }],
            ['logout/', { csrfmiddlewaretoken: 'x'.repeat(64) }],
          ] as const) {
            await begin();
            const answer = await sendForm(other, url + path, fields);
            expect(answer.status(), path).toBe(403);
            expect(await answer.text(), path).toContain(REFUSED);
          }
          await begin();
          await forge(other, `${url}api/v1/message/`);
          await forge(other, `${url}api/v1/conversation/bob/read/`);
          expect(await knock(other, `ws://${host}:${proxy.port}/ws`)).toBe('refused');
          expect(await knock(other, `ws://${host}:${proxy.port}/ws?events=1`)).toBe('refused');
          await sendForm(other, `${url}logout/`, {}, 'get');
          await expect(other.getByRole('heading', { name: 'Sign out?' })).toBeVisible();
        });
        const tried = proxy.seen.slice(from).filter(({ headers }) => headers.origin === home.slice(0, -1));
        expect(tried.map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
          'POST /api/v1/message/ 403',
          'POST /login/ 403',
          'POST /logout/ 403',
          'POST /api/v1/message/ 403',
          'POST /api/v1/conversation/bob/read/ 403',
          'GET /ws 403',
          'GET /ws?events=1 403',
        ]);
        // Another port or another name below the same domain is the same site: all of these came with ann's session.
        const withSession = tried.filter(({ headers }) => headers.cookie?.includes('sessionid='));
        expect(withSession).toHaveLength(name.endsWith(host) ? tried.length : 0);
        for (const { method, headers } of tried) {
          if (!trusted) expect(headers['sec-fetch-site']).toBeUndefined();
          else if (method === 'POST') expect(headers['sec-fetch-site']).toMatch(/^(same|cross)-site$/);
        }
      }

      await test.step('nothing has changed', async () => {
        expect((await ask(page, 'session/')).user).toBe('ann');
        const { results } = await ask(page, 'message/?target=bob&after_seq=0');
        expect(results.map(({ body }: { body: string }) => body)).toEqual(['hello']);
        await connected(page);
      });

      await test.step('the same from a page of its own does change something', async () => {
        await other.goto(`http://${host}:${site.port}/`);
        const shown = await sendForm(other, `${url}api/v1/session/`, { format: 'api' }, 'get');
        expect(await shown.text(), 'the cookie travels').toContain('&quot;ann&quot;');
        await other.goto(`${url}healthz`);
        const sent = await sendForm(other, `${url}api/v1/message/`, { recipient: 'bob', body: 'mine' });
        expect(sent.status()).toBe(201);
        await other.goto(`${url}healthz`);
        await forge(other, `${url}api/v1/message/`);
        expect(await knock(other, `ws://${host}:${proxy.port}/ws`)).toBe('opened');
        const { headers, status } = proxy.seen.findLast(({ path }) => path === '/api/v1/message/') ?? {};
        expect([status, headers?.['content-type']]).toEqual([415, 'text/plain']);
        await expect(bubble(page, 'mine')).toBeVisible();
      });
    } finally {
      await context.close();
      await site.stop();
      await proxy.stop();
      await server.stop();
    }
  });
}

test('with TLS and below a path: the client works, the cookie is Secure, HSTS is sent', async ({
  browser,
  problems,
}) => {
  const port = await freePort();
  const proxy = await startProxy(port, await certificate('chatd.test'));
  const url = `https://chatd.test:${proxy.port}/chat/`;
  const server = await startProgram({ users: ['ann', 'bob'], port, env: { CHATD_PUBLIC_URL: url } });
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  await watch(context, problems);
  try {
    const page = await context.newPage();
    await signIn(page, `${url}c/bob/`);
    await expect(page).toHaveURL(`${url}c/bob/`);
    await say(page, 'hello');
    await expect(bubble(page, 'hello').getByText('Sent')).toBeAttached();

    const cookies = (await context.cookies()).map(({ name, secure, path }) => ({ name, secure, path }));
    expect(cookies).toContainEqual({ name: 'sessionid', secure: true, path: '/chat/' });
    expect(cookies.every(({ secure }) => secure)).toBe(true);
    const answer = await page.reload();
    expect(await answer?.headerValue('strict-transport-security')).toMatch(/^max-age=\d{7,}/);
    const post = proxy.seen.find(({ method, path }) => method === 'POST' && path === '/chat/api/v1/message/');
    expect(post?.headers['sec-fetch-site']).toBe('same-origin');
    const socket = proxy.seen.find(({ path }) => path.startsWith('/chat/ws?events=1'));
    expect(socket?.status).toBe(101);
    const strays = proxy.seen.filter(({ path, status }) => !path.startsWith('/chat/') && status < 400);
    expect(strays.map(({ path }) => path)).toEqual([]);
  } finally {
    await context.close();
    await server.stop();
    await proxy.stop();
  }
});
