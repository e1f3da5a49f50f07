// A phone in a hand: its keyboard, and the edges of its screen that are not for reading.

import type { Page } from '@playwright/test';
import { bubble, connected, expect, field, log, numbered, test } from './fixtures';

const SCREEN = { width: 390, height: 844 };
/** What a keyboard leaves of it. */
const LEFT = 508;

async function writing(page: Page): Promise<void> {
  await connected(page);
  await expect(bubble(page, 'phone 40')).toBeInViewport();
  await field(page).fill('on my way');
  await field(page).focus();
}

/** From the top of the screen, in CSS pixels. */
async function ends(page: Page): Promise<{ newest: number; composer: number; field: number }> {
  const end = async (element: ReturnType<Page['locator']>) => {
    const box = await element.boundingBox();
    return box ? box.y + box.height : Number.NaN;
  };
  return {
    newest: await end(bubble(page, 'phone 40')),
    composer: await end(page.locator('.composer')),
    field: await end(page.locator('.composer-field')),
  };
}

/** The newest message is seen whole, and the composer below it: at least above `y`, and not far from it. */
async function standAbove(page: Page, y: number): Promise<void> {
  await expect(async () => {
    const { newest, composer, field } = await ends(page);
    expect(newest).toBeLessThanOrEqual(field);
    expect(composer).toBeLessThanOrEqual(y);
    expect(composer).toBeGreaterThan(y - 2);
  }).toPass({ timeout: 5_000 });
}

test('a keyboard that makes the page smaller leaves the composer and the newest message in sight', async ({
  person,
  chatd,
}) => {
  await chatd.sendMany('gus', 'bob', numbered(40, 'phone'));
  const page = await person('bob', 'c/gus/40/', { viewport: SCREEN, hasTouch: true });
  await expect(page.locator('meta[name=viewport]')).toHaveAttribute(
    'content',
    /interactive-widget=resizes-content/,
  );
  await writing(page);
  await standAbove(page, SCREEN.height);
  await page.setViewportSize({ ...SCREEN, height: LEFT });
  await standAbove(page, LEFT);
  await page.setViewportSize(SCREEN);
  await standAbove(page, SCREEN.height);
});

/** A browser that lays its keyboard over the page, as Safari does: only the visual viewport says so. */
async function overlaying(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const view = Object.assign(new EventTarget(), {
      width: innerWidth,
      height: innerHeight,
      offsetTop: 0,
      offsetLeft: 0,
      scale: 1,
    });
    Object.defineProperty(window, 'visualViewport', { value: view });
  });
}

async function see(
  page: Page,
  change: { height: number; offsetTop?: number; scale?: number },
): Promise<void> {
  await page.evaluate((now) => {
    if (!visualViewport) throw new Error('no visual viewport');
    Object.assign(visualViewport, { offsetTop: 0, scale: 1, ...now });
    visualViewport.dispatchEvent(new Event('resize'));
  }, change);
}

test('a keyboard that lies over the page does too, and a zoomed page stays as it is', async ({
  person,
  chatd,
}) => {
  await chatd.sendMany('hana', 'bob', numbered(40, 'phone'));
  const page = await person('bob', 'healthz', { viewport: SCREEN, hasTouch: true });
  await overlaying(page);
  await page.goto('c/hana/40/');
  await writing(page);
  await see(page, { height: LEFT });
  await standAbove(page, LEFT);
  // Moved up by the browser, to show the field in which one writes.
  await see(page, { height: LEFT, offsetTop: 120 });
  await standAbove(page, LEFT + 120);
  // The row of keys that comes with a keyboard of its own.
  await see(page, { height: SCREEN.height - 60 });
  await standAbove(page, SCREEN.height - 60);
  await see(page, { height: SCREEN.height - 10 });
  await standAbove(page, SCREEN.height);
  await see(page, { height: LEFT, scale: 2 });
  await standAbove(page, SCREEN.height);
  await expect(log(page)).toBeVisible();
});

test('what is at the edge of the screen keeps away from its corners and its bar', async ({
  person,
  chatd,
}) => {
  const insets = { top: 47, left: 0, bottom: 34, right: 0 };
  await chatd.sendMany('jana', 'bob', numbered(40, 'phone'));
  const page = await person('bob', 'c/jana/40/', { viewport: SCREEN, hasTouch: true });
  await writing(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setSafeAreaInsetsOverride', { insets });
  await expect.poll(async () => (await ends(page)).field).toBeLessThanOrEqual(SCREEN.height - insets.bottom);
  await standAbove(page, SCREEN.height);
  const back = await page.getByRole('link', { name: 'Back to conversations' }).boundingBox();
  expect(back?.y).toBeGreaterThanOrEqual(insets.top);
  const header = await page.locator('.pane-header').boundingBox();
  expect(header?.height, 'as high as without it').toBeCloseTo(64 + insets.top, 0);
});
