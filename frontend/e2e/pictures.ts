// The pictures of `scripts/all-screens.mjs`: every screen and every state, one file each.

import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { connected, test } from './fixtures';
import { PHONE, prepare, SCREENS } from './screens';
import { STATES } from './states';

const DIRECTORY = process.env.SCREENS_DIRECTORY ?? '';

const WIDE = { viewport: { width: 1280, height: 800 } };

const LOOKS = [
  ['1280-light', { ...WIDE, colorScheme: 'light' }],
  ['1280-dark', { ...WIDE, colorScheme: 'dark' }],
  ['390-light', { ...PHONE, colorScheme: 'light' }],
  ['390-dark', { ...PHONE, colorScheme: 'dark' }],
  ['390-arabic', { ...PHONE, colorScheme: 'light', locale: 'ar' }],
] as const;

/** As it looks once nothing moves any more. */
async function take(page: Page, look: string, name: string): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {})));
  });
  await page.screenshot({ path: join(DIRECTORY, look, `${name}.png`) });
}

for (const [look, options] of LOOKS) {
  test(look, async ({ person, stranger, chatd }) => {
    await prepare(chatd);
    const out = await stranger(options);
    await out.goto('login/');
    await take(out, look, 'sign-in');
    const first = await person('fay', '', options);
    await connected(first);
    await take(first, look, 'first page');
    const page = await person('kim', '', options);
    for (const [index, [name, show]] of [...SCREENS, ...STATES].entries()) {
      await show(page);
      await take(page, look, `${String(index + 1).padStart(2, '0')} ${name}`);
    }
  });
}
