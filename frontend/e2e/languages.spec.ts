// The client in a language that is read from right to left, and in one whose words are longer.

import type { Page } from '@playwright/test';
import { connected, expect, test } from './fixtures';
import { clipped, speakPseudo } from './inspect';
import { prepare, SCREENS } from './screens';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

for (const viewport of SIZES) {
  test(`words that are 40 % longer are not cut off, ${viewport.width} pixels`, async ({
    person,
    chatd,
  }, testInfo) => {
    await prepare(chatd);
    const page = await person('kim', 'healthz', { viewport, locale: 'de' });
    await speakPseudo(page.context());
    await page.goto('settings/');
    await expect(page.getByRole('heading', { name: 'Settingsings' }).first()).toBeVisible();
    for (const [name, show] of SCREENS) {
      await show(page);
      await page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
      expect(await clipped(page), name).toEqual([]);
    }
  });
}

test('what is cut off is seen to be', async ({ person }) => {
  const page = await person('carol', 'settings/');
  await connected(page);
  await expect(page.locator('.card button').first()).toBeVisible();
  expect(await clipped(page)).toEqual([]);
  await page.evaluate(() => {
    const [button, heading] = [document.querySelector('.card button'), document.querySelector('.card h2')];
    if (!(button instanceof HTMLElement && heading instanceof HTMLElement))
      throw new Error('there is no card');
    button.textContent = 'x'.repeat(30);
    Object.assign(button.style, { width: '50px', whiteSpace: 'nowrap' });
    heading.textContent = 'cut off';
    Object.assign(heading.style, { width: '20px', overflow: 'hidden', whiteSpace: 'nowrap' });
  });
  expect((await clipped(page)).map((text) => text.slice(0, 7))).toEqual(['cut off', 'xxxxxxx']);
});

const middle = async (page: Page, selector: string) => {
  const box = await page.locator(selector).first().boundingBox();
  if (!box) throw new Error(`${selector} is nowhere`);
  return box.x + box.width / 2;
};

for (const viewport of SIZES) {
  test(`from right to left everything is mirrored, ${viewport.width} pixels`, async ({
    person,
    chatd,
  }, testInfo) => {
    await prepare(chatd);
    const page = await person('kim', 'c/lea/', { viewport, locale: 'ar' });
    await connected(page);
    await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
    await expect(page.locator('.mine .text').first()).toBeVisible();
    const centre = viewport.width / 2;
    if (viewport.width >= 800)
      expect(await middle(page, '.sidebar')).toBeGreaterThan(await middle(page, '.pane'));
    else {
      expect(await middle(page, '.back')).toBeGreaterThan(centre);
      const arrow = page.locator('.icon-back').first();
      const turned = await arrow.evaluate((element) => getComputedStyle(element).transform);
      expect(turned).toBe('matrix(-1, 0, 0, 1, 0, 0)');
    }
    expect(await middle(page, '.send')).toBeLessThan(await middle(page, '.composer textarea'));
    expect(await middle(page, '.mine .bubble')).toBeLessThan(await middle(page, '.theirs .bubble'));
    for (const [name, show] of SCREENS) {
      await show(page);
      await page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
      expect(await clipped(page), name).toEqual([]);
    }
  });
}

test('each message has its own direction, and names are isolated', async ({ person, chatd }) => {
  await prepare(chatd);
  const page = await person('kim', 'c/max/');
  await connected(page);
  const direction = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => getComputedStyle(element).direction);
  await expect(page.locator('.theirs .body')).toHaveAttribute('dir', 'auto');
  expect(await direction('.theirs .body')).toBe('rtl');
  await page.locator('.composer textarea').fill('in English');
  await page.locator('.composer textarea').press('Enter');
  await expect(page.locator('.mine .body').last()).toHaveAttribute('dir', 'auto');
  expect(await direction('.mine .body')).toBe('ltr');
  for (const path of ['', 'c/max/', 'c/nora/', 'settings/']) {
    await page.goto(path);
    await connected(page);
    if (path === 'c/max/') await page.keyboard.press('Control+k');
    const bare = await page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const names: string[] = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const name = /^(?:kim|lea|max|nora)$/.test(node.nodeValue?.trim() ?? '');
        if (name && !node.parentElement?.closest('bdi')) names.push(node.parentElement?.outerHTML ?? '');
      }
      return names;
    });
    expect(bare, path).toEqual([]);
  }
});
