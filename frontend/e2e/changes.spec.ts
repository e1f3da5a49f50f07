import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, log, say, shifts, test } from './fixtures';

/** Opens the menu of a message by the keyboard: the button that each one has. */
async function choose(page: Page, text: string, item: string): Promise<void> {
  await bubble(page, text)
    .getByRole('button', { name: /What to do with the message/ })
    .focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: item }).click();
}

test('a changed message says so on every device, and Escape gives back what was being written', async ({
  person,
}) => {
  const [ann, other, bob] = [
    await person('ann', 'c/rosa/'),
    await person('ann', 'c/rosa/'),
    await person('rosa', 'c/ann/'),
  ];
  await say(ann, 'see you at fuor');
  await field(ann).fill('half a thought');
  await choose(ann, 'see you at fuor', 'Edit');
  await expect(field(ann)).toBeFocused();
  await expect(field(ann)).toHaveValue('see you at fuor');
  await field(ann).fill('see you at four');
  await ann.keyboard.press('Escape');
  await expect(field(ann)).toHaveValue('half a thought');

  await field(ann).fill('');
  await ann.keyboard.press('ArrowUp');
  await expect(field(ann)).toHaveValue('see you at fuor');
  await field(ann).fill('see you at four');
  await ann.keyboard.press('Enter');
  for (const page of [ann, other, bob]) {
    await expect(bubble(page, 'see you at four')).toHaveCount(1);
    await expect(bubble(page, 'see you at four').getByText('edited')).toBeVisible();
    await expect(bubble(page, 'see you at fuor')).toHaveCount(0);
  }
  await expect(field(ann)).toHaveValue('');
  await ann.reload();
  await expect(bubble(ann, 'see you at four').getByText('edited')).toBeVisible();
});

test('a change that the server does not hear of loses nothing', async ({ person, chatd }) => {
  const page = await person('ann', 'c/sven/');
  await say(page, 'first');
  await expect(bubble(page, 'first').getByText('Sent')).toBeAttached();
  await choose(page, 'first', 'Edit');
  await field(page).fill('second');
  chatd.cut();
  await page.keyboard.press('Enter');
  await expect(page.getByText(/could not be saved/)).toBeVisible();
  await expect(field(page)).toHaveValue('second');
  chatd.mend();
  await connected(page);
  await page.getByRole('button', { name: 'Save the change' }).click();
  await expect(bubble(page, 'second').getByText('edited')).toBeVisible();
});

test('a deletion asks first, and leaves a trace for both', async ({ person }) => {
  const [page, other] = [await person('dora', 'c/rosa/'), await person('rosa', 'c/dora/')];
  await say(page, 'regretted');
  await say(other, 'what do you mean?');
  await expect(bubble(page, 'what do you mean?')).toBeVisible();
  await choose(page, 'regretted', 'Delete');
  await expect(page.getByText(/This cannot be undone/)).toBeVisible();
  await page.getByRole('menuitem', { name: 'Keep it' }).click();
  await expect(bubble(page, 'regretted')).toBeVisible();
  await choose(page, 'regretted', 'Delete');
  await page.getByRole('menuitem', { name: 'Delete it' }).click();
  for (const each of [page, other]) {
    await expect(bubble(each, 'This message was deleted.')).toBeVisible();
    await expect(bubble(each, 'regretted')).toHaveCount(0);
  }
  await expect(
    bubble(page, 'This message was deleted.').getByRole('button', { name: /What to do/ }),
  ).toHaveCount(0);
});

test('what is somebody else’s can be answered, and not changed', async ({ person, chatd }) => {
  await chatd.send('sven', 'dora', 'from sven');
  const page = await person('dora', 'c/sven/');
  await bubble(page, 'from sven')
    .getByRole('button', { name: /What to do/ })
    .focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem')).toHaveText(['Reply', 'Copy the text', 'Report…']);
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Copy the text' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menuitem')).toHaveCount(0);
  await expect(bubble(page, 'from sven').getByRole('button', { name: /What to do/ })).toBeFocused();
});

test('a reply quotes the original, leads to it, and follows what becomes of it', async ({
  person,
  chatd,
}) => {
  await chatd.sendMany('jana', 'emil', [
    'the question',
    ...Array.from({ length: 90 }, (_, n) => `more ${n}`),
  ]);
  const page = await person('emil', 'c/jana/1/');
  await choose(page, 'the question', 'Reply');
  await say(page, 'the answer');
  const quote = bubble(page, 'the answer').locator('.quote');
  await expect(quote).toContainText('the question');
  await expect(page.getByText('Replying to')).toHaveCount(0);

  const other = await person('jana', 'c/emil/');
  const theirs = bubble(other, 'the answer').locator('.quote');
  await expect(theirs).toContainText('the question');
  await theirs.click();
  await expect(other).toHaveURL(/\/c\/emil\/1\/$/);
  await expect(bubble(other, 'the question')).toBeInViewport();
  await choose(other, 'the question', 'Delete');
  await other.getByRole('menuitem', { name: 'Delete it' }).click();
  await expect(quote).toContainText('This message was deleted.');
});

test('ticks: sent, delivered, read', async ({ person, chatd }) => {
  for (const name of ['tick', 'tock']) await chatd.addUser(name);
  const page = await person('tick', 'c/tock/');
  await say(page, 'how far?');
  const state = (word: string) => bubble(page, 'how far?').getByText(word, { exact: true });
  await expect(state('Sent')).toBeAttached();
  const other = await person('tock');
  await expect(state('Delivered')).toBeAttached();
  await other.getByRole('navigation').getByRole('link', { name: /tick/ }).click();
  await other.bringToFront();
  await expect(state('Read')).toBeAttached();
});

test('typing is seen, moves nothing, and is over with the message', async ({ person }) => {
  const [page, other] = [await person('gus', 'c/hana/'), await person('hana', 'c/gus/')];
  await say(page, 'are you there?');
  await expect(bubble(other, 'are you there?')).toBeVisible();
  await connected(page);
  await page.evaluate(() => {
    window.shifts = [];
  });
  await field(other).pressSequentially('yes');
  const says = page.getByRole('region').getByText('is typing…');
  await expect(says).toBeVisible();
  await field(other).press('Enter');
  await expect(bubble(page, 'yes')).toBeVisible();
  await expect(says).toHaveCount(0);
  expect(await shifts(page)).toEqual([]);
});

test('who is here is seen, unless one of the two hides it', async ({ person }) => {
  const [page, other] = [await person('ivo', 'c/jana/'), await person('jana', 'c/ivo/')];
  await say(page, 'hello');
  await expect(bubble(other, 'hello')).toBeVisible();
  const appears = page.getByRole('region').getByRole('status');
  await expect(appears).toHaveText('online');
  await expect(other.getByRole('region').getByRole('status')).toHaveText('online');
  await other.goto('settings/');
  await connected(other);
  const share = other.getByRole('checkbox', { name: /That you are here/ });
  // Until the server has said what is chosen it is off, and cannot be changed.
  await expect(share).toBeChecked();
  await share.uncheck();
  await expect(appears).toHaveText('', { timeout: 20_000 });
  await share.check();
  await expect(appears).toHaveText('online', { timeout: 20_000 });
});

test('a conversation is pinned, muted and put aside until its next message', async ({ person, chatd }) => {
  for (const name of ['keeper', 'first', 'second']) await chatd.addUser(name);
  await chatd.send('first', 'keeper', 'one');
  await chatd.send('second', 'keeper', 'two');
  const page = await person('keeper', 'c/first/');
  const names = page.getByRole('navigation').locator('.entry-name');
  const keep = async (item: string) => {
    await page.getByRole('button', { name: /Options for the conversation/ }).click();
    await page.getByRole('button', { name: item }).click();
  };
  await expect(names).toHaveText(['second', 'first']);
  await keep('Pin to the top');
  await expect(names).toHaveText(['first', 'second']);
  await keep('Mute for an hour');
  await expect(page.getByRole('navigation').getByText('Muted')).toBeAttached();
  await page.goto('c/second/');
  await keep('Archive until the next message');
  await expect(page.getByText('Archived (1)')).toBeVisible();
  await page.goto('');
  await connected(page);
  await expect(names.filter({ visible: true })).toHaveText(['first']);
  await chatd.send('second', 'keeper', 'three');
  await expect(names).toHaveText(['first', 'second']);
  await expect(log(page)).toHaveCount(0);
});
