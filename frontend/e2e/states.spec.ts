// Each screen in all its states: while it loads, with nothing in it, with a part of it, after an error, without a
// network, and when it is not allowed. Each says what is the matter and offers a next step, and the step leads on.

import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, log, numbered, say, test } from './fixtures';
import { clipped, speakPseudo, violations } from './inspect';
import { PHONE, prepare } from './screens';
import {
  denied,
  LIST,
  MESSAGES,
  opened,
  PEOPLE,
  REQUEST,
  SESSION,
  SETTINGS,
  STATES,
  search,
  signedOut,
  silent,
  troubled,
  unreachable,
  withMore,
} from './states';

const PROBLEM = 'The server has a problem at the moment.';
const AWAY = 'The server cannot be reached. Check the connection.';
const QUOTE = `If you ask for help, quote request ${REQUEST}`;

const again = (page: Page) => page.getByRole('button', { name: 'Try again' });

/** What failed works when it is tried again. The client tries by itself too: the button may be gone before the click. */
async function tryAgain(page: Page): Promise<void> {
  await expect(again(page)).toBeEnabled();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await again(page)
    .click({ timeout: 2_000 })
    .catch(() => expect(again(page)).toHaveCount(0));
}

/** Without a network the client may be quicker than a click. */
async function networkIsBack(page: Page): Promise<void> {
  await expect(again(page)).toBeEnabled();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
}

test.beforeEach(() => test.setTimeout(120_000));

test('the list in all its states', async ({ person, chatd }) => {
  for (const name of ['tina', 'uwe']) await chatd.addUser(name);
  const page = await person('tina');
  const list = page.getByRole('navigation', { name: 'Conversations' });

  await test.step('empty', async () => {
    await expect(list.getByRole('heading', { name: 'Nobody here yet' })).toBeVisible();
    await list.getByRole('button', { name: 'Find a person' }).click();
    await expect(page.getByRole('searchbox', { name: 'Find a person' })).toBeFocused();
  });
  await chatd.send('uwe', 'tina', 'hello');
  const entry = list.getByRole('link', { name: /uwe/ });
  await expect(entry).toBeVisible();

  await test.step('loading: other things can be done meanwhile', async () => {
    await opened(page, '', LIST, silent);
    await expect(list.getByText('Loading your conversations')).toBeAttached();
    await search(page, 'uw');
    await expect(list.getByRole('link', { name: 'uwe' })).toBeVisible();
  });
  await test.step('error', async () => {
    await opened(page, '', LIST, troubled);
    const notice = list.getByRole('alert');
    await expect(notice).toContainText('Your conversations could not be loaded');
    await expect(notice).toContainText(PROBLEM);
    await expect(notice).toContainText(QUOTE);
    await tryAgain(page);
    await expect(entry).toBeVisible();
    await expect(notice).toHaveCount(0);
  });
  await test.step('without a network', async () => {
    await opened(page, '', LIST, unreachable);
    await expect(list.getByRole('alert')).toContainText(AWAY);
    await expect(page.getByText('No connection.')).toBeVisible();
    await networkIsBack(page);
    await expect(entry).toBeVisible();
    await expect(page.getByText('No connection.')).toBeHidden();
  });
  await test.step('partial', async () => {
    await opened(page, '', LIST, (route) =>
      route.request().url().includes('more=yes') ? troubled(route) : withMore(route),
    );
    const more = list.getByRole('button', { name: 'Show more conversations' });
    await more.click();
    await expect(list.getByRole('alert')).toContainText('More conversations could not be loaded.');
    await expect(list.getByRole('alert')).toContainText(QUOTE);
    await expect(entry).toBeVisible();
    await page.unrouteAll();
    await more.click();
    await expect(more).toHaveCount(0);
    await expect(list.getByRole('alert')).toHaveCount(0);
  });
  await test.step('denied: the session has ended', async () => {
    await opened(page, '', LIST, signedOut);
    await expect(page).toHaveURL(/\/login\/\?next=%2F$/);
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  });
});

test('a conversation in all its states', async ({ person, chatd }) => {
  for (const name of ['vera', 'will']) await chatd.addUser(name);
  const page = await person('vera', 'c/will/');
  const failed = log(page).or(page.locator('.log-frame')).getByRole('alert');

  await test.step('empty', async () => {
    await expect(log(page)).toContainText('This is the beginning of your conversation with will.');
    await expect(log(page)).toContainText('Write the first message.');
    await expect(field(page)).toBeFocused();
    await say(page, 'the first');
    await expect(bubble(page, 'the first').getByText('Sent')).toBeAttached();
    await expect(log(page).getByText('Write the first message.')).toHaveCount(0);
  });
  await chatd.sendMany('will', 'vera', numbered(45, 'line'));
  await chatd.read('vera', 'will', 46);

  await test.step('loading: a message can be written meanwhile', async () => {
    await opened(page, 'c/will/', MESSAGES, silent);
    await expect(page.getByText('Loading messages')).toBeAttached();
    await expect(field(page)).toBeEditable();
  });
  await test.step('error', async () => {
    await opened(page, 'c/will/', MESSAGES, troubled);
    await expect(failed).toContainText(`These messages could not be loaded. ${PROBLEM}`);
    await expect(failed).toContainText(QUOTE);
    await tryAgain(page);
    await expect(bubble(page, 'line 45')).toBeInViewport();
    await expect(failed).toHaveCount(0);
  });
  await test.step('error of the message that was asked for: it comes when it is tried again', async () => {
    await opened(page, 'c/will/3/', MESSAGES, troubled);
    await expect(failed).toContainText(PROBLEM);
    await tryAgain(page);
    await expect(bubble(page, 'line 2')).toBeInViewport();
  });
  await test.step('without a network', async () => {
    await opened(page, 'c/will/', MESSAGES, unreachable);
    await expect(failed).toContainText(AWAY);
    await field(page).fill('half of a thought');
    await networkIsBack(page);
    await expect(bubble(page, 'line 45')).toBeInViewport();
    await expect(field(page)).toHaveValue('half of a thought');
  });
  await test.step('partial: older ones are missing', async () => {
    await opened(page, 'c/will/', /before_seq=1\d&/, troubled);
    await expect(bubble(page, 'line 45')).toBeInViewport();
    await log(page).evaluate((element) => element.scrollTo(0, 0));
    await expect(failed).toBeInViewport();
    await tryAgain(page);
    await expect(bubble(page, 'the first')).toBeAttached();
  });
  await test.step('partial: newer ones are missing', async () => {
    await opened(page, 'c/will/1/', /after_seq=/, troubled);
    await expect(bubble(page, 'the first')).toBeInViewport();
    await log(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect(failed).toBeInViewport();
    await tryAgain(page);
    await expect(bubble(page, 'line 45')).toBeAttached();
  });
  await test.step('denied', async () => {
    await opened(page, 'c/will/', MESSAGES, denied);
    await expect(failed).toContainText('You do not have permission to perform this action.');
    await expect(failed).toContainText(QUOTE);
    await failed.getByRole('link', { name: 'Back to your conversations' }).click();
    await expect(page).toHaveURL(/\/$/);
  });
  await test.step('it is not known who that is', async () => {
    await opened(page, 'c/carol/', PEOPLE, troubled);
    await expect(page.getByRole('heading', { name: 'This conversation could not be opened' })).toBeVisible();
    await expect(page.getByText(QUOTE)).toBeVisible();
    await expect(page.getByRole('link', { name: 'Back to your conversations' })).toBeVisible();
    await tryAgain(page);
    await expect(log(page)).toContainText('Write the first message.');
  });
  await test.step('denied: the session has ended', async () => {
    await opened(page, 'c/will/', MESSAGES, signedOut);
    await expect(page).toHaveURL(/\/login\/\?next=%2Fc%2Fwill%2F$/);
  });
});

test('the search in all its states', async ({ person }) => {
  const page = await person('rosa');
  await connected(page);
  const results = page.locator('.results');

  await test.step('loading', async () => {
    await page.route(PEOPLE, silent);
    await search(page, 'car');
    await expect(results.getByText('Looking for people')).toBeAttached();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await expect(results).toHaveCount(0);
  });
  await test.step('empty', async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await search(page, 'carx');
    await expect(results).toContainText('Nobody’s name begins with “carx”. Check the spelling');
  });
  await test.step('error', async () => {
    await page.route(PEOPLE, troubled);
    await search(page, 'car');
    await expect(results.getByRole('alert')).toContainText(`People could not be looked up. ${PROBLEM}`);
    await expect(results.getByRole('alert')).toContainText(QUOTE);
    await tryAgain(page);
    await expect(results.getByRole('link', { name: 'carol' })).toBeVisible();
    await expect(results.getByRole('alert')).toHaveCount(0);
  });
  await test.step('without a network', async () => {
    await page.route(PEOPLE, unreachable);
    await search(page, 'caro');
    await expect(results.getByRole('alert')).toContainText(AWAY);
    await tryAgain(page);
    await expect(results.getByRole('link', { name: 'carol' })).toBeVisible();
  });
  await test.step('partial', async () => {
    await page.route(PEOPLE, withMore);
    await search(page, 'ca');
    await expect(results.getByRole('link', { name: 'carol' })).toBeVisible();
    await expect(results).toContainText('There are more. Type more of the name to find them.');
    await page.unrouteAll();
  });
  await test.step('denied: the session has ended', async () => {
    await page.route(PEOPLE, signedOut);
    await search(page, 'carol');
    await expect(page).toHaveURL(/\/login\//);
  });
});

test('the settings in all their states', async ({ person }) => {
  const page = await person('sven');
  const typing = page.getByRole('checkbox', { name: 'That you are typing to them' });
  const trouble = page.getByRole('alert');

  await test.step('loading: the other cards are there', async () => {
    await opened(page, 'settings/', SETTINGS, silent);
    await expect(typing).toBeDisabled();
    await expect(page.getByRole('radio', { name: 'Dark' }).first()).toBeEnabled();
  });
  for (const [name, answer, why] of [
    ['error', troubled, QUOTE],
    ['without a network', unreachable, AWAY],
    ['denied', denied, 'You do not have permission'],
  ] as const) {
    await test.step(`partial: ${name}`, async () => {
      await opened(page, 'settings/', SETTINGS, answer);
      await connected(page);
      await expect(trouble).toContainText('What you have chosen could not be loaded.');
      await expect(trouble).toContainText(why);
      await expect(typing).toBeDisabled();
      await tryAgain(page);
      await expect(typing).toBeEnabled();
      await expect(trouble).toHaveCount(0);
    });
  }
  await test.step('a choice that is not saved is not shown as saved', async () => {
    const before = await typing.isChecked();
    await page.route(SETTINGS, troubled);
    for (const _ of ['once', 'twice']) {
      await typing.click();
      await expect(trouble).toContainText('This could not be saved. Try again.');
      await expect(trouble).toContainText(QUOTE);
      await expect(typing).toBeChecked({ checked: before });
    }
    await page.unrouteAll();
    await typing.click();
    await expect(typing).toBeChecked({ checked: !before });
    await expect(trouble).toHaveCount(0);
  });
  await test.step('denied: the session has ended', async () => {
    await opened(page, 'settings/', SETTINGS, signedOut);
    await expect(page).toHaveURL(/\/login\/\?next=%2Fsettings%2F$/);
  });
});

test('in every state, with words that are 40 % longer: nothing is cut off, and axe finds nothing', async ({
  person,
  chatd,
}) => {
  test.setTimeout(240_000);
  await prepare(chatd);
  const page = await person('kim', 'healthz', { ...PHONE, locale: 'de', colorScheme: 'dark' });
  await speakPseudo(page.context());
  for (const [name, show] of STATES) {
    await show(page);
    expect(await clipped(page), name).toEqual([]);
    expect(await violations(page), name).toEqual([]);
  }
});

test('what happens before it is known who is signed in', async ({ person }) => {
  const page = await person('rosa');
  await opened(page, '', SESSION, troubled);
  await expect(page.getByRole('heading', { name: 'chatd cannot be reached' })).toBeVisible();
  await expect(page.getByText(QUOTE)).toBeVisible();
  await tryAgain(page);
  await connected(page);
});
