// What must hold on every screen for those who do not see it, do not see it well, or do not want it to move.

import type { BrowserContextOptions, Page } from '@playwright/test';
import { bubble, connected, expect, field, log, say, test } from './fixtures';
import { violations } from './inspect';
import { prepare, SCREENS } from './screens';

const WIDTHS = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];

// With every test one scheme at each width; with CHATD_E2E_WHOLE all of them.
const WHOLE = process.env.CHATD_E2E_WHOLE !== undefined;

for (const colorScheme of ['light', 'dark'] as const) {
  for (const viewport of WIDTHS.filter((_, index) => WHOLE || (index === 0) === (colorScheme === 'light'))) {
    const options = { colorScheme, viewport };

    test(`no axe violations, ${colorScheme}, ${viewport.width} pixels`, async ({
      stranger,
      person,
      chatd,
    }) => {
      test.setTimeout(180_000);
      const out = await stranger(options);
      await out.goto('login/');
      expect(await violations(out), 'sign-in').toEqual([]);

      const empty = await person('fay', '', options);
      await connected(empty);
      await expect(empty.getByRole('navigation')).toBeVisible();
      expect(await violations(empty), 'first page').toEqual([]);

      await prepare(chatd);
      const page = await person('kim', '', options);
      for (const [name, show] of SCREENS) {
        await show(page);
        expect(await violations(page), name).toEqual([]);
      }
    });
  }
}

const RARE = [{ forcedColors: 'active' }, { contrast: 'more' }] as const;

test('no axe violations with forced colours and with more contrast', async ({ person, chatd }) => {
  test.setTimeout(180_000);
  await prepare(chatd);
  for (const options of WHOLE ? RARE : RARE.slice(0, 1)) {
    const page = await person('kim', '', options);
    for (const [name, show] of SCREENS) {
      await show(page);
      expect(await violations(page), `${Object.keys(options)}: ${name}`).toEqual([]);
    }
  }
});

/** How many colours a picture has. */
function colours(page: Page, picture: Buffer): Promise<number> {
  return page.evaluate(async (base64) => {
    const image = await createImageBitmap(
      new Blob([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))]),
    );
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas?.drawImage(image, 0, 0);
    const pixels = canvas?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray();
    return new Set(new Uint32Array(pixels.buffer)).size;
  }, picture.toString('base64'));
}

const CONTROLS =
  'a:visible, button:visible, input:visible, textarea:visible, select:visible, [role=option]:visible';

test('with forced colours every control can be seen', async ({ person, stranger, chatd }) => {
  test.setTimeout(180_000);
  await prepare(chatd);
  const eye = await stranger();
  const page = await person('kim', '', { forcedColors: 'active', reducedMotion: 'reduce' });
  for (const [name, show] of SCREENS) {
    await show(page);
    for (const control of await page.locator(CONTROLS).all()) {
      const target = (await control.getAttribute('type')) === 'radio' ? control.locator('..') : control;
      const seen = await colours(eye, await target.screenshot());
      expect(
        seen,
        `${name}: ${await control.evaluate((element) => element.outerHTML.slice(0, 120))}`,
      ).toBeGreaterThan(1);
    }
  }
});

/** Controls that are smaller than a finger, or a pointer, can hit. Links in a text have the size of their line. */
function small(page: Page, least: number): Promise<string[]> {
  return page.evaluate((pixels) => {
    const controls = [
      ...document.querySelectorAll<HTMLElement>('a, button, input, textarea, select, [role=option]'),
    ];
    return controls
      .filter((each) => each.checkVisibility() && !each.closest('.text'))
      .filter((each) => {
        const { width, height } = (each.closest('label') ?? each).getBoundingClientRect();
        return Math.min(width, height) < pixels - 0.5;
      })
      .map((each) => each.outerHTML.slice(0, 120));
  }, least);
}

for (const [kind, least, options] of [
  ['finger', 44, { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } }],
  ['pointer', 24, {}],
] as const satisfies readonly (readonly [string, number, BrowserContextOptions])[]) {
  test(`a ${kind} can hit every control: ${least} pixels`, async ({ person, chatd }) => {
    await prepare(chatd);
    const page = await person('kim', '', options);
    for (const [name, show] of SCREENS) {
      await show(page);
      expect(await small(page, least), name).toEqual([]);
    }
    await page.goto('settings/');
    await page
      .locator('.toggle')
      .first()
      .evaluate((element) => Object.assign(element.style, { width: '20px' }));
    expect((await small(page, least)).length, 'what is too small is seen').toBe(1);
  });
}

test('with reduced motion nothing moves, it only appears', async ({ person, chatd }) => {
  await prepare(chatd);
  const moving = (page: Page) =>
    page.evaluate(() => {
      const still = new Set([
        'opacity',
        'color',
        'background-color',
        'backgroundColor',
        'offset',
        'computedOffset',
      ]);
      const running = document.getAnimations().flatMap((each) => {
        const effect = each.effect as KeyframeEffect | null;
        return (effect?.getKeyframes() ?? []).flatMap((frame) => Object.keys(frame));
      });
      const could = [...document.querySelectorAll('*')].flatMap((each) => {
        const { transitionProperty, transitionDuration } = getComputedStyle(each);
        return transitionDuration === '0s' ? [] : transitionProperty.split(', ');
      });
      const ignored = new Set(['easing', 'composite']);
      return [...new Set([...running, ...could])].filter((name) => !still.has(name) && !ignored.has(name));
    });
  const page = await person('kim', '', { reducedMotion: 'reduce' });
  for (const [name, show] of SCREENS) {
    await show(page);
    expect(await moving(page), name).toEqual([]);
  }
  const lively = await person('kim');
  await connected(lively);
  expect(await moving(lively), 'what moves is seen to').toContain('transform');
});

test('every screen has landmarks and one heading, and the log is in the tab order', async ({
  person,
  chatd,
}) => {
  await prepare(chatd);
  const page = await person('kim');
  for (const [name, show] of SCREENS) {
    await show(page);
    await expect(page.locator('h1:visible'), name).toHaveCount(1);
    await expect(page.locator('main'), name).toHaveCount(1);
    await expect(page.locator('nav[aria-label]'), name).toHaveCount(1);
  }
  await page.goto('c/lea/');
  await expect(page.getByRole('form', { name: 'Write a message' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Conversation with lea' })).toBeVisible();
  await expect(page.getByRole('log', { name: 'Messages with lea' })).toHaveAttribute('tabindex', '0');
});

test('new messages are read out once, with the sender; history, one’s own and bursts are not', async ({
  person,
  chatd,
}) => {
  await chatd.sendMany('jana', 'emil', ['old one', 'old two']);
  const page = await person('emil', 'c/jana/');
  await connected(page);
  await expect(bubble(page, 'old two')).toBeVisible();
  const spoken = page.locator('.sr-only[aria-live=polite]');
  await page.evaluate(() => {
    const region = document.querySelector('.sr-only[aria-live=polite]');
    const heard: string[] = [];
    Object.assign(window, { heard });
    const note = () => heard.push(region?.textContent?.trim() ?? '');
    if (region)
      new MutationObserver(note).observe(region, { childList: true, subtree: true, characterData: true });
  });
  const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  await expect(log(page)).toHaveAttribute('aria-live', 'off');
  await say(page, 'my own');
  await expect(field(page)).toHaveValue('');
  await chatd.send('jana', 'emil', 'a **new** one');
  await expect(spoken).toHaveText('jana: a new one');
  expect(await heard(), 'one change').toEqual(['jana: a new one']);
  await chatd.send('jana', 'emil', 'a **new** one');
  await expect.poll(heard, 'the same again').toEqual(['jana: a new one', 'jana: a new one']);
  // What came while away comes at once.
  chatd.cut();
  await chatd.sendMany('jana', 'emil', ['1', '2', '3', '4', '5', '6', '7']);
  chatd.mend();
  await connected(page);
  await expect(spoken).toHaveText('7 new messages');
  expect((await heard()).slice(2)).toEqual(['7 new messages']);
});
