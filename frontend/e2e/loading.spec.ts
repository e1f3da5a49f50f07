// While something is loaded: nothing at all for a moment, then its shape. Nothing spins.

import type { Page } from '@playwright/test';
import { connected, expect, test } from './fixtures';
import { LIST, MESSAGES, opened, PEOPLE, SESSION, search, silent } from './states';

const PATIENCE_MS = 300;
/** 18 frames are 300 ms to the fraction: on which side of them the last one falls is chance. */
const FRAME_MS = 16;

interface Sample {
  /** Milliseconds since this skeleton came into the document. */
  readonly at: number;
  readonly opacity: number;
}

/** Notes in each frame how much of each skeleton can be seen. */
function watchSkeletons(): void {
  const samples: { at: number; opacity: number }[] = [];
  Object.assign(window, { samples });
  const came = new WeakMap<Element, number>();
  const look = () => {
    const now = performance.now();
    for (const skeleton of document.querySelectorAll('.skeleton')) {
      const since = came.get(skeleton) ?? now;
      came.set(skeleton, since);
      samples.push({ at: now - since, opacity: Number(getComputedStyle(skeleton).opacity) });
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const samplesOf = (page: Page) =>
  page.evaluate(() => (window as unknown as { samples: Sample[] }).samples ?? []);

/** What has a line or a bubble, and where it is. */
const shapesOf = (page: Page) =>
  page.locator('.skeleton').first().locator('.ghost, .ghost-line, .ghost-bubble').count();

for (const [name, path, part, look] of [
  ['the page', '', SESSION, async () => {}],
  ['the list', '', LIST, async () => {}],
  ['a conversation', 'c/gus/', MESSAGES, async () => {}],
  [
    'people',
    '',
    PEOPLE,
    async (page: Page) => {
      await connected(page);
      await search(page, 'zz');
    },
  ],
] as const) {
  test(`no skeleton of ${name} before 300 ms, then one in its shape`, async ({ person, chatd }) => {
    await chatd.send('gus', 'fay', 'hello');
    const page = await person('fay', 'healthz');
    await page.addInitScript(watchSkeletons);
    await opened(page, path, part, silent);
    await look(page);
    await expect.poll(async () => (await samplesOf(page)).at(-1)?.opacity).toBe(1);
    const samples = await samplesOf(page);
    const early = samples.filter(({ at }) => at < PATIENCE_MS - FRAME_MS);
    expect(early.length, 'it was looked at').toBeGreaterThan(1);
    expect(Math.max(...early.map(({ opacity }) => opacity))).toBe(0);
    expect(await shapesOf(page)).toBeGreaterThan(5);
    expect(await page.evaluate(endless), 'nothing goes on for ever').toEqual([]);
  });
}

/** What moves without an end. */
function endless(): string[] {
  const running = document.getAnimations().filter((each) => {
    return each.effect?.getComputedTiming().iterations === Number.POSITIVE_INFINITY;
  });
  return running.map((each) => (each as CSSAnimation).animationName);
}

test('a part that is fetched late takes its room at once, without anything that spins', async ({
  person,
}) => {
  const page = await person('fay');
  await connected(page);
  await page.route('**/static/assets/switcher-*.js', silent);
  await page.keyboard.press('Control+k');
  const room = page.locator('.part-loading');
  await expect(room).toHaveAttribute('aria-busy', 'true');
  expect((await room.boundingBox())?.height).toBeGreaterThan(80);
  expect(await page.evaluate(endless)).toEqual([]);
  await page.evaluate(() => {
    document.querySelector('.part-loading')?.animate([{ rotate: '0deg' }, { rotate: '360deg' }], {
      duration: 1_000,
      iterations: Number.POSITIVE_INFINITY,
    });
  });
  expect(await page.evaluate(endless), 'it would be seen').toHaveLength(1);
});
