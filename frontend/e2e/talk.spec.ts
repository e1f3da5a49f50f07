import { bodies, bubble, connected, expect, field, log, say, test } from './fixtures';

test('two people sign in, find each other, and talk', async ({ stranger, chatd }) => {
  // No other test knows these two: what it leaves behind would be counted here.
  for (const name of ['olga', 'pavel']) await chatd.addUser(name);
  const [olga, pavel] = [await stranger(), await stranger()];
  for (const [page, name] of [
    [olga, 'olga'],
    [pavel, 'pavel'],
  ] as const) {
    await page.goto('');
    await expect(page).toHaveURL(/\/login\//);
    await page.getByPlaceholder('Username').fill(name);
    await page.getByPlaceholder('Password').fill(chatd.password(name));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('navigation', { name: 'Conversations' })).toBeVisible();
    await connected(page);
  }

  await olga.getByRole('searchbox', { name: 'Find a person' }).fill('pav');
  await olga.getByRole('link', { name: 'pavel' }).click();
  await expect(olga).toHaveURL(/\/c\/pavel\/$/);
  await expect(olga.getByRole('heading', { level: 1, name: 'pavel' })).toBeVisible();
  await say(olga, 'hello pavel');
  await expect(bubble(olga, 'hello pavel').getByText('Sent')).toBeAttached();

  const entry = pavel.getByRole('navigation').getByRole('link', { name: /olga/ });
  await expect(entry).toContainText('1 unread message');
  await expect(pavel).toHaveTitle('(1) chatd');
  await pavel.bringToFront();
  await entry.click();
  await expect(bubble(pavel, 'hello pavel')).toBeVisible();
  await expect(bubble(olga, 'hello pavel').getByText('Read', { exact: true })).toBeAttached();
  await expect(pavel).toHaveTitle('chatd');

  await say(pavel, 'hello olga');
  await expect(bubble(olga, 'hello olga')).toBeVisible();
  expect(await bodies(olga)).toEqual(['hello pavel', 'hello olga']);
  expect(await bodies(pavel)).toEqual(await bodies(olga));
});

test('a wrong password is explained, and the name is kept', async ({ stranger }) => {
  const page = await stranger();
  await page.goto('login/');
  await page.getByPlaceholder('Username').fill('carol');
  await page.getByPlaceholder('Password').fill('not this');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByPlaceholder('Username')).toHaveValue('carol');
});

test('signing out leads to the sign-in page, in every tab', async ({ person }) => {
  const page = await person('carol');
  await connected(page);
  const other = await page.context().newPage();
  await other.goto('settings/');
  await connected(other);
  await page.getByRole('button', { name: 'Menu of carol' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login\//);
  await expect(other).toHaveURL(/\/login\//);
});

test('nobody of that name', async ({ person }) => {
  const page = await person('carol', 'c/nobody-like-this/');
  await expect(page.getByRole('heading', { name: /There is nobody called/ })).toBeVisible();
  await page.getByRole('link', { name: 'Back to your conversations' }).click();
  await expect(page).toHaveURL(/\/$/);
});

test('a name typed in another case opens the same conversation', async ({ person }) => {
  const page = await person('carol', 'c/DORA/');
  await expect(page).toHaveURL(/\/c\/dora\/$/);
  await expect(field(page)).toBeVisible();
});

test('links lead out safely, and HTML is text', async ({ person }) => {
  const page = await person('dora', 'c/emil/');
  const attack = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> javascript:alert(1)';
  await say(page, attack);
  await say(page, 'see https://example.org/a?b=(c), and mailto:me@example.org.');
  await expect(log(page).getByText(attack)).toBeVisible();
  const links = log(page).getByRole('link');
  await expect(links).toHaveCount(2);
  await expect(links.first()).toHaveAttribute('href', 'https://example.org/a?b=(c)');
  await expect(links.first()).toHaveAttribute('rel', 'noopener noreferrer');
  await expect(links.last()).toHaveAttribute('href', 'mailto:me@example.org');
  await expect(links.last()).toHaveAttribute('rel', 'noopener noreferrer');
  expect(await page.evaluate(() => 'hit' in window)).toBe(false);
});

test('no request leaves the origin: signing in, list, search, conversation, settings', async ({
  stranger,
  chatd,
}) => {
  await chatd.send('jana', 'carol', 'see https://example.org/picture.png and mailto:me@example.org');
  const page = await stranger();
  const asked: string[] = [];
  page.context().on('request', (request) => asked.push(request.url()));
  page.on('websocket', (socket) => asked.push(socket.url()));
  await page.goto('');
  await page.getByPlaceholder('Username').fill('carol');
  await page.getByPlaceholder('Password').fill(chatd.password('carol'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await connected(page);
  await page.getByRole('searchbox', { name: 'Find a person' }).fill('ja');
  await page.getByRole('navigation').getByRole('link', { name: /jana/ }).click();
  await say(page, 'https://example.org/another.png');
  await expect(bubble(page, 'https://example.org/another.png').getByText(/Sent|Read/)).toBeAttached();
  await page.goto('settings/');
  await connected(page);

  const { host } = new URL(chatd.url);
  const elsewhere = asked.filter((url) => !url.startsWith('data:') && new URL(url).host !== host);
  expect(elsewhere).toEqual([]);
  const paths = asked.map((url) => new URL(url).pathname).join(' ');
  for (const part of ['/login/', '/api/v1/conversation/', '/api/v1/message/', '/static/', '/ws'])
    expect(paths, 'the requests were seen at all').toContain(part);
});
