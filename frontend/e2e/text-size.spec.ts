// Text at twice its size, as somebody sets it in the browser: everything grows with it, and nothing is lost.

import config from '../playwright.config';
import { connected, expect, test } from './fixtures';
import { clipped } from './inspect';
import { PHONE, prepare, SCREENS } from './screens';

const launchOptions = config.use?.launchOptions ?? {};
test.use({
  launchOptions: {
    ...launchOptions,
    args: [...(launchOptions.args ?? []), '--blink-settings=defaultFontSize=32'],
  },
});

for (const viewport of [{ width: 1280, height: 800 }, PHONE.viewport]) {
  test(`text of 200 % loses nothing, ${viewport.width} pixels`, async ({
    person,
    stranger,
    chatd,
  }, testInfo) => {
    test.setTimeout(120_000);
    await prepare(chatd);
    const out = await stranger({ viewport });
    await out.goto('login/');
    expect(await clipped(out), 'sign-in').toEqual([]);
    const page = await person('kim', 'c/lea/', { viewport });
    await connected(page);
    const size = await page
      .locator('.text')
      .first()
      .evaluate((text) => Number.parseFloat(getComputedStyle(text).fontSize));
    expect(size, 'it follows the browser').toBeGreaterThan(28);
    for (const [name, show] of SCREENS) {
      await show(page);
      await page.screenshot({ path: testInfo.outputPath(`${name}.png`) });
      expect.soft(await clipped(page), name).toEqual([]);
    }
  });
}
