// Whom one hears from: people are blocked, strangers wait until they are accepted, and messages are reported.

import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, log, say, test } from './fixtures';
import { PHONE } from './screens';

const entry = (page: Page, text: string) =>
  page.getByRole('navigation').getByRole('link').filter({ hasText: text });
const dialog = (page: Page) => page.getByRole('dialog');
const options = (page: Page, name: string) =>
  page.getByRole('button', { name: `Options for the conversation with ${name}` });
const blockedLine = (page: Page, name: string) => page.getByRole('region', { name: `You blocked ${name}.` });
const banner = (page: Page, name: string) =>
  page.getByRole('region', { name: `${name} wants to write to you.` });
const chosen = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });

test('who is blocked cannot write, keeps their text, and is not told why', async ({ person, chatd }) => {
  for (const name of ['adam', 'berta']) await chatd.addUser(name);
  await chatd.send('adam', 'berta', 'hello');
  const [adam, berta] = [await person('adam', 'c/berta/'), await person('berta', 'c/adam/')];
  const phone = await person('berta', 'c/adam/', PHONE);
  for (const page of [adam, berta, phone]) await connected(page);
  await field(berta).fill('a draft');
  await options(berta, 'adam').click();
  await berta.getByRole('button', { name: 'Block adam' }).click();
  await expect(dialog(berta)).toContainText('They are not told.');
  // Thought better of, and then not.
  await dialog(berta).getByRole('button', { name: 'Cancel' }).click();
  await expect(field(berta)).toHaveValue('a draft');
  await options(berta, 'adam').click();
  await berta.getByRole('button', { name: 'Block adam' }).click();
  await dialog(berta).getByRole('button', { name: 'Block', exact: true }).click();
  for (const page of [berta, phone]) {
    await expect(blockedLine(page, 'adam')).toBeVisible();
    await expect(field(page)).toHaveCount(0);
  }
  // It fails at once, in words of the language, and is not taken for the end of the session.
  await say(adam, 'are you there?');
  const failed = bubble(adam, 'are you there?');
  await expect(failed).toContainText('This person can’t be written to.');
  await failed.getByRole('button', { name: 'Edit' }).click();
  await expect(field(adam)).toHaveValue('are you there?');
  await field(adam).press('Enter');
  await expect(failed).toContainText('This person can’t be written to.');
  await adam.reload();
  await connected(adam);
  await expect(failed).toContainText('This person can’t be written to.');
  // A change of what is stored is refused as well, and stays in the field.
  await say(adam, '');
  await bubble(adam, 'hello').hover();
  await bubble(adam, 'hello').getByRole('button').click();
  await adam.getByRole('menuitem', { name: 'Edit' }).click();
  await field(adam).fill('hello!');
  await field(adam).press('Enter');
  await expect(adam.getByText(/This person can’t be written to\./).last()).toBeVisible();
  await expect(field(adam)).toHaveValue('hello!');
  await field(adam).press('Escape');
  expect(await chatd.history('berta', 'adam')).toHaveLength(1);
  // Known without a network too, and after a reload.
  await phone.reload();
  await expect(blockedLine(phone, 'adam')).toBeVisible();
  await blockedLine(phone, 'adam').getByRole('button', { name: 'Unblock' }).click();
  await expect(field(phone)).toBeVisible();
  await expect(field(berta)).toHaveValue('a draft');
  await failed.getByRole('button', { name: 'Retry' }).click();
  await expect(bubble(berta, 'are you there?')).toBeVisible();
});

test('the list of blocked people has its states, and ends a block', async ({ person, chatd }) => {
  for (const name of ['clara', 'detlef']) await chatd.addUser(name);
  const page = await person('clara', 'settings/blocked/');
  const card = page.getByRole('region', { name: 'People you block' });
  await expect(card).toContainText('You block nobody.');
  await chatd.post('clara', 'block/', { user: 'detlef' });
  const line = card.getByRole('listitem');
  await expect(line).toContainText('detlef');
  let down = true;
  await page.route('**/api/v1/block/**', (route) => (down ? route.abort() : route.fallback()));
  await line.getByRole('button', { name: 'Unblock detlef' }).click();
  await expect(card.getByRole('alert')).toContainText('They are still blocked.');
  down = false;
  await line.getByRole('button', { name: 'Unblock detlef' }).click();
  await expect(card).toContainText('You block nobody.');
  // Of a device that knows nothing yet.
  const other = await person('clara', 'healthz');
  let broken = true;
  await other.route('**/api/v1/block/', (route) => (broken ? route.abort() : route.fallback()));
  await other.goto('settings/blocked/');
  await expect(other.getByRole('alert')).toContainText('The list could not be loaded.');
  broken = false;
  await other.getByRole('button', { name: 'Try again' }).click();
  await expect(other.getByText('You block nobody.')).toBeVisible();
});

test('a stranger waits, unseen and unheard, until they are accepted', async ({ person, chatd }) => {
  for (const name of ['erna', 'fritz', 'golo']) await chatd.addUser(name);
  const erna = await person('erna', 'settings/');
  await chosen(erna, 'Everybody, strangers by a request').check();
  const phone = await person('erna', 'settings/', PHONE);
  await expect(chosen(phone, 'Everybody, strangers by a request')).toBeChecked();
  await phone.goto('');
  await connected(phone);
  await chatd.send('fritz', 'erna', 'do you know me?');
  await chatd.send('golo', 'erna', 'buy this');
  const link = phone.getByRole('link', { name: 'Requests (2)' });
  await expect(link).toBeVisible();
  await expect(entry(phone, 'fritz')).toHaveCount(0);
  await expect(phone).toHaveTitle('chatd');
  await link.click();
  await expect(phone).toHaveURL(/\/requests\/$/);
  await expect(phone.getByRole('heading', { level: 1, name: 'Requests' })).toBeVisible();
  await entry(phone, 'fritz').click();
  await expect(bubble(phone, 'do you know me?')).toBeVisible();
  await expect(banner(phone, 'fritz')).toBeVisible();
  await phone.getByRole('link', { name: 'Back to the requests' }).click();
  await expect(phone).toHaveURL(/\/requests\/$/);
  await phone.reload();
  await expect(entry(phone, 'fritz')).toBeVisible();
  const there = await chatd.conversation('fritz', 'erna');
  expect([there.peer_read_seq, there.peer_delivered_seq]).toEqual([0, 0]);
  // Accepted on one device: on the other it moves into the list, and counts.
  await erna.goto('');
  await connected(erna);
  await expect(erna).toHaveTitle('chatd');
  await chatd.post('erna', 'conversation/fritz/accept/', {});
  await expect(entry(erna, 'fritz')).toContainText('1 unread message');
  await expect(erna).toHaveTitle('(1) chatd');
  await expect(entry(phone, 'fritz')).toHaveCount(0);
  // Declined by a block.
  await entry(phone, 'golo').click();
  await banner(phone, 'golo').getByRole('button', { name: 'Block' }).click();
  await dialog(phone).getByRole('button', { name: 'Block', exact: true }).click();
  await expect(blockedLine(phone, 'golo')).toBeVisible();
  await expect(erna.getByRole('link', { name: /^Requests/ })).toHaveCount(0);
  await phone.goto('requests/');
  await expect(phone.getByText('Nobody waits to be accepted.')).toBeVisible();
  await expect(chatd.send('golo', 'erna', 'again')).rejects.toThrow(/403/);
});

test('a request is accepted in its place, or by writing back', async ({ person, chatd }) => {
  for (const name of ['hugo', 'inge', 'jost']) await chatd.addUser(name);
  await chatd.change('hugo', 'settings/', { who_may_write: 'requests' });
  await chatd.send('inge', 'hugo', 'hello from inge');
  await chatd.send('jost', 'hugo', 'hello from jost');
  const page = await person('hugo', 'c/inge/');
  await connected(page);
  let down = true;
  await page.route('**/accept/', (route) => (down ? route.abort() : route.fallback()));
  await banner(page, 'inge').getByRole('button', { name: 'Accept' }).click();
  await expect(banner(page, 'inge').getByRole('alert')).toContainText('This could not be saved.');
  down = false;
  await banner(page, 'inge').getByRole('button', { name: 'Accept' }).click();
  await expect(banner(page, 'inge')).toHaveCount(0);
  await expect(entry(page, 'inge')).toBeVisible();
  await page.getByRole('link', { name: 'Requests (1)' }).click();
  await entry(page, 'jost').click();
  await say(page, 'hello jost');
  await expect(banner(page, 'jost')).toHaveCount(0);
  await expect(entry(page, 'jost')).toBeVisible();
  await expect(entry(page, 'inge')).toBeVisible();
  // And read, as every conversation.
  await expect.poll(async () => (await chatd.conversation('jost', 'hugo')).peer_read_seq).toBeGreaterThan(0);
});

test('nobody new may write, and a stranger hears the same as who is blocked', async ({ person, chatd }) => {
  for (const name of ['kai', 'lutz']) await chatd.addUser(name);
  const kai = await person('kai', 'settings/');
  let down = true;
  await kai.route('**/api/v1/settings/', (route) =>
    down && route.request().method() === 'PATCH' ? route.abort() : route.fallback(),
  );
  await chosen(kai, 'Nobody new').click();
  await expect(kai.getByRole('alert')).toContainText('This could not be saved.');
  await expect(chosen(kai, 'Everybody')).toBeChecked();
  down = false;
  await chosen(kai, 'Nobody new').check();
  await kai.reload();
  await expect(chosen(kai, 'Nobody new')).toBeChecked();
  const lutz = await person('lutz', 'c/kai/');
  await connected(lutz);
  await say(lutz, 'hello');
  await expect(bubble(lutz, 'hello')).toContainText('This person can’t be written to.');
});

test('a message is reported, and the staff sees it among those around it', async ({ person, chatd }) => {
  for (const name of ['mona', 'nils']) await chatd.addUser(name);
  await chatd.addSuperuser('stella');
  await chatd.sendMany('nils', 'mona', ['before', 'something bad', 'after']);
  const mona = await person('mona', 'c/nils/');
  await connected(mona);
  await bubble(mona, 'something bad').hover();
  await bubble(mona, 'something bad').getByRole('button').click();
  await mona.getByRole('menuitem', { name: 'Report…' }).click();
  await dialog(mona).getByRole('textbox').fill('it is <b>bad</b>');
  let down = true;
  await mona.route('**/api/v1/report/', (route) => (down ? route.abort() : route.fallback()));
  await dialog(mona).getByRole('button', { name: 'Report' }).click();
  await expect(dialog(mona).getByRole('alert')).toContainText('It was not reported.');
  await expect(dialog(mona).getByRole('textbox')).toHaveValue('it is <b>bad</b>');
  down = false;
  await dialog(mona).getByRole('button', { name: 'Report' }).click();
  await expect(dialog(mona).getByRole('status')).toContainText('Thank you.');
  await dialog(mona).getByRole('button', { name: 'Block nils' }).click();
  await dialog(mona).getByRole('button', { name: 'Block', exact: true }).click();
  await expect(blockedLine(mona, 'nils')).toBeVisible();
  await expect(log(mona)).toBeVisible();

  await mona.goto('settings/');
  await expect(mona.getByRole('link', { name: 'Blocked people' })).toBeVisible();
  await expect(mona.getByRole('link', { name: 'Reports' })).toHaveCount(0);
  await mona.goto('settings/reports/');
  await expect(mona.getByRole('alert')).toContainText('The reports could not be loaded.');

  const stella = await person('stella', 'settings/');
  await stella.getByRole('link', { name: 'Reports' }).click();
  const report = stella.getByRole('article', { name: 'mona about nils' });
  await expect(report).toContainText('it is <b>bad</b>');
  await expect(report.getByRole('listitem')).toHaveText([/before$/, /something bad$/, /after$/]);
  await expect(report.locator('.reported')).toContainText('something bad');
  await report.getByRole('button', { name: 'Close' }).click();
  await expect(stella.getByText('Nothing is open.')).toBeVisible();
  await stella.getByRole('radio', { name: 'Closed' }).check({ force: true });
  await expect(report).toContainText('closed by stella');
  await report.getByRole('button', { name: 'Open again' }).click();
  await expect(stella.getByText('Nothing was closed yet.')).toBeVisible();
});
