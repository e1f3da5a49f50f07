// What the marks in a text become, and that nothing in it is wider than its place.

import { bubble, expect, field, log, say, test } from './fixtures';

test('marks become elements, on both sides, and what is no mark stays', async ({ person, chatd }) => {
  const page = await person('rosa', 'c/gus/');
  await say(page, '**bold** *italic* ~~gone~~ `a*b*c` snake_case 2 * 3 * 4');
  await expect(log(page).locator('.mine').getByText('Sent', { exact: true })).toBeAttached();
  await chatd.send('gus', 'rosa', 'look:\n```ts\nconst a = 1;\n```\n> quoted\nend');
  await expect(log(page).locator('strong')).toHaveText('bold');
  await expect(log(page).locator('em')).toHaveText('italic');
  await expect(log(page).locator('s')).toHaveText('gone');
  await expect(log(page).locator('.mine code')).toHaveText('a*b*c');
  await expect(log(page).locator('.mine .text')).toContainText('snake_case 2 * 3 * 4');
  await expect(log(page).locator('.theirs pre code')).toHaveText('const a = 1;');
  await expect(log(page).locator('.theirs blockquote')).toHaveText('quoted');
  const list = page.getByRole('navigation').getByRole('link', { name: /gus/ });
  await expect(list).toContainText('look: ts const a = 1; quoted end');
});

test('long words wrap and code scrolls in its own box, by keyboard too', async ({ person, chatd }) => {
  const long = 'x'.repeat(600);
  await chatd.send('ivo', 'rosa', `word ${long}`);
  await chatd.send('ivo', 'rosa', `\`\`\`\n${long}\n\`\`\``);
  const page = await person('rosa', 'c/ivo/', { viewport: { width: 390, height: 844 } });
  const code = log(page).locator('pre');
  await expect(code).toBeVisible();
  const widths = (element: Element) => element.scrollWidth - element.clientWidth;
  expect(await log(page).evaluate(widths)).toBeLessThanOrEqual(0);
  const [text, around] = await bubble(page, `word ${long}`)
    .locator('.text')
    .evaluate((element) =>
      [element, element.closest('.bubble')].map((each) => each?.getBoundingClientRect().right),
    );
  expect(text).toBeLessThan(around ?? 0);
  expect(await code.evaluate(widths)).toBeGreaterThan(100);
  await code.focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => code.evaluate((element) => element.scrollLeft)).toBeGreaterThan(0);
});

test('one to three emoji are large, with words beside them they are text', async ({ person }) => {
  const page = await person('rosa', 'c/jana/');
  const size = (text: string) =>
    bubble(page, text)
      .locator('.text')
      .evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize));
  await say(page, '😀👍🏽');
  await say(page, '😀 fine');
  await expect(field(page)).toHaveValue('');
  expect(await size('😀👍🏽')).toBeGreaterThan(2 * (await size('😀 fine')));
});
