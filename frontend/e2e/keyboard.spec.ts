// Everything without a pointer.

import type { Page } from '@playwright/test';
import { connected, expect, field, log, say, test } from './fixtures';

const title = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true });
const switcher = (page: Page) => page.getByRole('dialog', { name: 'Switch conversation' });
const shortcuts = (page: Page) => page.getByRole('dialog', { name: 'Keyboard shortcuts' });

test('Ctrl+K goes to a conversation by some letters, and to a person without one', async ({
  person,
  chatd,
}) => {
  await chatd.addUser('quentin.lee');
  for (const name of ['emil', 'ivo']) await chatd.send(name, 'gus', `hello from ${name}`);
  const page = await person('gus', 'c/ivo/');
  await connected(page);
  await expect(field(page)).toBeFocused();
  await page.keyboard.press('Control+k');
  await expect(switcher(page).getByRole('combobox')).toBeFocused();
  const options = switcher(page).getByRole('option');
  await expect(options.first(), 'the one before, not the open one').toContainText('emil');
  await page.keyboard.press('Escape');
  await expect(switcher(page)).toHaveCount(0);
  await expect(field(page)).toBeFocused();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('ml');
  await expect(options.first()).toHaveText(/emil/);
  await page.keyboard.press('Enter');
  await expect(title(page, 'emil')).toBeVisible();
  await expect(field(page)).toBeFocused();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('quen');
  await expect(options).toHaveText([/quentin\.lee.*New conversation/]);
  await page.keyboard.press('Enter');
  await expect(title(page, 'quentin.lee')).toBeVisible();
  await expect(field(page)).toBeFocused();

  await page.keyboard.press('Control+k');
  await page.keyboard.type('xyzzy');
  await expect(switcher(page).getByText('Nobody’s name fits “xyzzy”.')).toBeVisible();
  await page.keyboard.press('Control+k');
  await expect(switcher(page)).toHaveCount(0);
});

test('arrows move through the switcher and around its ends', async ({ person, chatd }) => {
  for (const name of ['emil', 'ivo', 'jana']) await chatd.send(name, 'fay', 'hello');
  const page = await person('fay', 'settings/');
  await connected(page);
  await page.keyboard.press('Control+k');
  const chosen = switcher(page).locator('[aria-selected=true]');
  const active = () => switcher(page).getByRole('combobox').getAttribute('aria-activedescendant');
  await expect(chosen).toContainText('jana');
  const names = await switcher(page).getByRole('option').locator('bdi').allTextContents();
  expect(names.slice(0, 3)).toEqual(['jana', 'ivo', 'emil']);
  await page.keyboard.press('ArrowDown');
  await expect(chosen).toContainText('ivo');
  expect(await active()).toBe(await chosen.getAttribute('id'));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(chosen).toContainText(names.at(-1) ?? '');
  await page.keyboard.press('ArrowDown');
  await chatd.send('emil', 'fay', 'moves up');
  await expect(switcher(page).getByRole('option').first()).toContainText('emil');
  await expect(chosen, 'what is chosen stays chosen').toContainText('jana');
  await chosen.click();
  await expect(title(page, 'jana')).toBeVisible();
});

test('Alt+Down and Alt+Up go to the next conversation, also from the composer', async ({ person, chatd }) => {
  // Up alone would change this one.
  await chatd.send('hana', 'ivo', 'my own');
  for (const name of ['emil', 'ivo', 'jana']) await chatd.send(name, 'hana', 'hello');
  const page = await person('hana');
  await connected(page);
  await page.keyboard.press('Alt+ArrowDown');
  await expect(title(page, 'jana')).toBeVisible();
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('half a thought');
  await page.keyboard.press('Alt+ArrowDown');
  await expect(title(page, 'ivo')).toBeVisible();
  await page.keyboard.press('Alt+ArrowUp');
  await expect(title(page, 'jana')).toBeVisible();
  await expect(field(page)).toHaveValue('half a thought');
  await page.keyboard.press('Alt+ArrowUp');
  await expect(title(page, 'jana')).toBeVisible();
});

test('? lists the shortcuts, not in a text field, and not when single keys are off', async ({ person }) => {
  const page = await person('carol', 'c/dora/');
  await connected(page);
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('what?');
  await expect(field(page)).toHaveValue('what?');
  await expect(shortcuts(page)).toHaveCount(0);
  await log(page).focus();
  await page.keyboard.press('?');
  await expect(shortcuts(page).getByText('Next conversation')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(shortcuts(page)).toHaveCount(0);
  await expect(log(page)).toBeFocused();

  await page.goto('settings/');
  await connected(page);
  const choice = page.getByRole('checkbox', { name: 'Single-key shortcuts' });
  await choice.focus();
  await page.keyboard.press('?');
  await expect(shortcuts(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(choice).toBeFocused();
  await page.keyboard.press('Space');
  await expect(choice).not.toBeChecked();
  await page.reload();
  await connected(page);
  await expect(choice).not.toBeChecked();
  await choice.focus();
  await page.keyboard.press('?');
  await page.keyboard.press('Control+k');
  await expect(switcher(page), 'the page has heard both keys').toBeVisible();
  await expect(shortcuts(page)).toHaveCount(0);
});

test('Escape closes one layer, and the focus goes back to the opener', async ({ person }) => {
  const page = await person('carol', 'settings/');
  await connected(page);
  const menu = page.getByRole('button', { name: 'Menu of carol' });
  await menu.focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('.menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('.menu')).toBeHidden();
  await expect(menu).toBeFocused();

  await page.keyboard.press('Enter');
  await page.locator('.menu').getByRole('button', { name: 'Keyboard shortcuts' }).focus();
  await page.keyboard.press('Enter');
  await expect(shortcuts(page)).toBeVisible();
  await expect(page.locator('.menu')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(menu).toBeFocused();

  const opener = page.locator('.card').getByRole('button', { name: 'Keyboard shortcuts' });
  await opener.click();
  await shortcuts(page).getByRole('button', { name: 'Close' }).click();
  await expect(opener).toBeFocused();
  await opener.click();
  await page.mouse.click(5, 5);
  await expect(shortcuts(page)).toHaveCount(0);
  await expect(opener).toBeFocused();
});

/** Where the focus is, and whether it can be seen there or on what surrounds it. */
function focused(page: Page): Promise<{ what: string; visible: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return { what: 'page', visible: true };
    const marks = [element, element.parentElement, element.nextElementSibling].map((each) => {
      if (!each) return false;
      const { outlineStyle, outlineWidth } = getComputedStyle(each);
      return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
    });
    const what = element.getAttribute('href') ?? element.getAttribute('aria-label') ?? element.textContent;
    return { what: `${element.tagName} ${what}`, visible: marks.includes(true) };
  });
}

test('Tab reaches everything, and the focus can always be seen', async ({ person, chatd }) => {
  await chatd.send('emil', 'bob', 'look at https://example.org\n```\ncode\n```');
  const page = await person('bob', 'c/emil/');
  await connected(page);
  await say(page, 'mine');
  for (const path of ['c/emil/', 'settings/', '', 'c/nobody-like-this/']) {
    await page.goto(path);
    await connected(page);
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const seen = new Set<string>();
    for (let stop = 0; stop < 60; stop += 1) {
      await page.keyboard.press('Tab');
      const { what, visible } = await focused(page);
      expect(visible, `${path}: ${what}`).toBe(true);
      // The way may begin anywhere: it is over when it comes by the beginning with something seen.
      if (what === 'page' && seen.size > 0) break;
      if (what !== 'page') seen.add(what);
    }
    const wanted = await page
      .locator('a:visible, button:visible:enabled, input:visible, textarea:visible, select:visible')
      .evaluateAll((all) =>
        all
          // Of radio buttons the chosen one is the stop.
          .filter((each) => !(each instanceof HTMLInputElement && each.type === 'radio' && !each.checked))
          .map((each) => {
            const what = each.getAttribute('href') ?? each.getAttribute('aria-label') ?? each.textContent;
            return `${each.tagName} ${what}`;
          }),
      );
    expect([...seen], path).toEqual(expect.arrayContaining(wanted));
  }
});

test('a part that cannot be fetched is said to be missing, and the page goes on', async ({ person }) => {
  const page = await person('carol', 'c/dora/');
  await connected(page);
  await page.route('**/static/assets/switcher-*.js', (route) => route.abort());
  // The first time it may be of another version: the page is loaded anew.
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Control+k')]);
  await connected(page);
  await expect(field(page)).toBeFocused();
  await page.keyboard.press('Control+k');
  await expect(switcher(page).getByRole('alert')).toContainText('could not be loaded');
  await page.keyboard.press('Escape');
  await expect(field(page)).toBeFocused();
  await say(page, 'all the same');
  await expect(log(page).getByText('all the same')).toBeVisible();
});
