// Light, dark, or as the system has it: from the first frame on, on each page, whatever the system says.

import type { Page } from '@playwright/test';
import { connected, expect, test } from './fixtures';

/** Notes in each frame in which there is something to paint on how light that is: 0 is black, 1 is white. */
function watchFrames(): void {
  const frames: number[] = [];
  Object.assign(window, { frames });
  const look = () => {
    if (document.body) {
      const painted = [document.body, document.documentElement].map((each) => getComputedStyle(each));
      const colour = painted.map((each) => each.backgroundColor).find((each) => each !== 'rgba(0, 0, 0, 0)');
      const parts = (colour?.match(/\d+/g) ?? []).slice(0, 3).map(Number);
      const scheme = painted[1]?.colorScheme === 'dark' ? 0 : 1;
      // Without a background the browser paints what the scheme says.
      frames.push(parts.length === 3 ? parts.reduce((sum, part) => sum + part, 0) / 765 : scheme);
    }
    if (frames.length < 60) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const framesOf = (page: Page) => page.evaluate(() => (window as unknown as { frames: number[] }).frames);

async function looks(page: Page, scheme: 'light' | 'dark', what: string): Promise<void> {
  await expect.poll(async () => (await framesOf(page)).length).toBeGreaterThan(10);
  const wrong = (await framesOf(page)).filter((light) => (scheme === 'dark' ? light > 0.3 : light < 0.7));
  expect(wrong, what).toEqual([]);
}

for (const system of ['light', 'dark'] as const) {
  test(`no frame in the wrong scheme where the system is ${system}`, async ({ person, stranger }) => {
    const other = system === 'dark' ? 'light' : 'dark';
    const page = await person('ivo', 'settings/', { colorScheme: system });
    await page.addInitScript(watchFrames);
    const choose = (name: string) =>
      page.getByRole('main').locator('.settings').getByRole('radio', { name, exact: true }).check();
    for (const [choice, scheme] of [
      ['System', system],
      ['Light', 'light'],
      ['Dark', 'dark'],
      ['System', system],
    ] as const) {
      await connected(page);
      await choose(choice);
      await page.reload();
      await looks(page, scheme, `${choice}, settings`);
      await page.goto('');
      await looks(page, scheme, `${choice}, list`);
      await page.goto('settings/');
    }
    await page.emulateMedia({ colorScheme: other });
    await page.reload();
    await looks(page, other, 'the system changed');

    const out = await stranger({ colorScheme: system });
    await out.addInitScript(watchFrames);
    await out.goto('login/');
    await looks(out, system, 'sign-in');
    await out.evaluate((chosen) => localStorage.setItem('chatd:theme', chosen), other);
    await out.reload();
    await looks(out, other, 'sign-in, as it was chosen on this device');
  });
}
