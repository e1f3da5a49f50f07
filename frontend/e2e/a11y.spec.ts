import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { bubble, connected, expect, log, say, test } from './fixtures';

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {}))),
  );
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`);
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    const options = { colorScheme, viewport: { width, height } };

    test(`no axe violations, ${colorScheme}, ${width} pixels`, async ({ stranger, person, chatd }) => {
      const out = await stranger(options);
      await out.goto('login/');
      expect(await violations(out), 'sign-in').toEqual([]);

      const empty = await person('fay', '', options);
      await connected(empty);
      await expect(empty.getByRole('navigation')).toBeVisible();
      expect(await violations(empty), 'first page').toEqual([]);

      await chatd.send('carol', 'ann', 'hello https://example.org');
      const page = await person('ann', '', options);
      await expect(page.getByRole('link', { name: /carol/ })).toBeVisible();
      await connected(page);
      expect(await violations(page), 'list').toEqual([]);

      await page.getByRole('searchbox').fill('j');
      await expect(page.getByRole('link', { name: 'jana' })).toBeVisible();
      expect(await violations(page), 'search').toEqual([]);
      await page.getByRole('searchbox').fill('');

      await page.getByRole('link', { name: /carol/ }).click();
      await expect(log(page)).toBeVisible();
      await page.route('**/api/v1/message/', (route) =>
        route.request().method() === 'POST'
          ? route.fulfill({ status: 400, json: { body: ['No.'] } })
          : route.fallback(),
      );
      await say(page, 'refused');
      await expect(bubble(page, 'refused').getByText('No.').last()).toBeVisible();
      expect(await violations(page), 'conversation').toEqual([]);

      await page.goto('settings/');
      await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
      expect(await violations(page), 'settings').toEqual([]);
      await page.goto('c/nobody-here/');
      await expect(page.getByRole('heading', { name: /nobody called/ })).toBeVisible();
      expect(await violations(page), 'nobody').toEqual([]);
    });
  }
}
