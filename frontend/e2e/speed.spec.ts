// How quick it feels with ten thousand messages. What is counted is a gate; what is timed is printed beside a blank page
// with the same field in the same browser, because a busy machine is no reason to fail.

import type { Page } from '@playwright/test';
import { type Chatd, connected, expect, field, log, rows, test } from './fixtures';

const MESSAGES = 10_000;
const PASSWORD = 'test-data-password';
const KEYS = 60;
const ENTERS = 12;

/** Two people with a long history, made once for this file. */
async function longHistory(chatd: Chatd): Promise<readonly string[]> {
  const listed = () => chatd.command('user', 'list');
  const made = (text: string) =>
    text
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[1] ?? '')
      .filter((name) => /\d$/.test(name));
  if (made(await listed()).length < 2) {
    await chatd.command('test-data', '--users', '2', '--messages', String(2.5 * MESSAGES));
  }
  return made(await listed());
}

/** Opens the longest conversation of one of them. */
async function open(page: Page, chatd: Chatd): Promise<void> {
  const [me = '', other = ''] = await longHistory(chatd);
  const answer = await page.context().request.post('api/v1/session/', {
    data: { username: me, password: PASSWORD },
  });
  expect(answer.status()).toBe(200);
  const conversation = await page.context().request.get(`api/v1/conversation/${other}/`);
  const { last_seq: count } = await conversation.json();
  expect(count, 'the history is long').toBeGreaterThanOrEqual(MESSAGES);
  await page.goto(`c/${encodeURIComponent(other)}/${count}/`);
  await connected(page);
  await expect(log(page).locator('.row').first()).toBeVisible();
}

/** From each key to the first task after the frame that shows it, in milliseconds; of Enter, the frame that has a new last row. */
async function watchKeys(page: Page): Promise<void> {
  await page.evaluate(() => {
    const times: number[] = [];
    const last = () => [...document.querySelectorAll('.row')].at(-1);
    (window as unknown as { times: number[] }).times = times;
    addEventListener(
      'keydown',
      ({ key }) => {
        const [from, before] = [performance.now(), last()];
        const frame = () => {
          if (key === 'Enter' && last() === before) return requestAnimationFrame(frame);
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => times.push(performance.now() - from);
          port2.postMessage(null);
        };
        requestAnimationFrame(frame);
      },
      { capture: true },
    );
  });
}

/** What was measured since the last time. */
async function keyTimes(page: Page, count: number): Promise<number[]> {
  const times = () => page.evaluate(() => (window as unknown as { times: number[] }).times);
  await expect.poll(async () => (await times()).length).toBe(count);
  return page.evaluate(() => (window as unknown as { times: number[] }).times.splice(0));
}

const p98 = (times: readonly number[]) =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.98)] ?? 0;

async function slowDown(page: Page, rate: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate });
}

/** Says how often the page has been laid out. */
async function layoutCounter(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'LayoutCount')?.value ?? Number.NaN;
  };
}

const TEXT = 'the quick brown fox jumps over the lazy dog and then some more'.slice(0, KEYS);
// Quicker than anybody types. Keys without a pause between them only wait for each other, also on a blank page.
const TYPING = { delay: 60 };

const BLANK = `<textarea aria-label="Message to nobody"></textarea><div></div><script>
  document.querySelector('textarea').onkeydown = (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    document.querySelector('div').append(Object.assign(document.createElement('p'), { className: 'row' }));
  };
</script>`;

for (const rate of [1, 4]) {
  test(`typing among ten thousand messages, on a processor ${rate} times as slow`, async ({
    stranger,
    chatd,
  }) => {
    test.setTimeout(180_000);
    const blank = await stranger();
    await blank.goto('about:blank');
    await blank.setContent(BLANK);
    const page = await stranger();
    await open(page, chatd);
    const [keys, enters] = [[0, 0] as [number, number], [0, 0] as [number, number]];
    for (const [index, each] of [blank, page].entries()) {
      await slowDown(each, rate);
      await each.bringToFront();
      await watchKeys(each);
      const layouts = await layoutCounter(each);
      const before = await layouts();
      await field(each).pressSequentially(TEXT, TYPING);
      keys[index] = p98(await keyTimes(each, KEYS));
      const perKey = ((await layouts()) - before) / KEYS;
      expect(perKey, 'a key lays the page out').toBeGreaterThan(0.5);
      expect(perKey, 'and not again and again').toBeLessThan(1.5);
      await expect(field(each)).toHaveValue(TEXT);
      for (let times = 0; times < ENTERS; times += 1) {
        await each.keyboard.press('x', TYPING);
        await each.keyboard.press('Enter', TYPING);
        await expect(each.locator('.delivery-sending')).toHaveCount(0);
      }
      enters[index] = p98((await keyTimes(each, 2 * ENTERS)).filter((_, at) => at % 2 === 1));
    }
    await expect(log(page).locator('.row').last()).toContainText('x');
    for (const [what, [control, mine]] of Object.entries({ key: keys, Enter: enters })) {
      const text = `${what} to paint, p98: ${mine.toFixed(1)} ms; a blank page ${control.toFixed(1)} ms`;
      test.info().annotations.push({ type: 'timing', description: text });
      process.stdout.write(`      ${rate}x: ${text} (${(mine / control).toFixed(2)} times)\n`);
    }
  });
}

test('reading far up in ten thousand messages keeps the page small', async ({ stranger, chatd }) => {
  test.setTimeout(180_000);
  const page = await stranger();
  await open(page, chatd);
  await page.evaluate(() => {
    const long: number[] = [];
    (window as unknown as { long: number[] }).long = long;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) long.push(entry.duration);
    }).observe({ type: 'longtask' });
  });
  const first = () => log(page).locator('[data-seq]').first().getAttribute('data-seq').then(Number);
  const begin = await first();
  let most = 0;
  for (let screens = 0; screens < 40; screens += 1) {
    const before = await first();
    await log(page).evaluate((element) => element.scrollTo(0, 0));
    await expect.poll(first).toBeLessThan(before);
    most = Math.max(most, await log(page).locator('[data-key]').count());
  }
  expect(begin - (await first()), 'it did go up').toBeGreaterThan(800);
  expect(most).toBeLessThanOrEqual(200);
  const long = await page.evaluate(() => (window as unknown as { long: number[] }).long);
  process.stdout.write(
    `      tasks over 50 ms while scrolling: ${long.length}, the longest ${Math.max(0, ...long)} ms\n`,
  );
});

/** A phone on a mobile network, as Lighthouse has it. Says how many bytes have come so far. */
async function mobile(page: Page): Promise<() => number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: (1.6 * 1024 * 1024) / 8,
    uploadThroughput: (0.75 * 1024 * 1024) / 8,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  return () => bytes;
}

/** From the beginning of the navigation to the frame in which all of this is there, in milliseconds. */
async function until(page: Page, selectors: readonly string[]): Promise<number> {
  const time = await page.waitForFunction(
    (all) => all.every((each) => document.querySelector(each)) && performance.now(),
    selectors,
    { polling: 'raf' },
  );
  return Number(await time.jsonValue());
}

test('a conversation is usable soon on a phone, at first and after a reload, in few bytes', async ({
  stranger,
  person,
  chatd,
}) => {
  await chatd.sendMany('gus', 'fay', ['one', 'two', 'three']);
  const usable = ['.log .row', '.composer textarea'];
  const blank = await stranger();
  await mobile(blank);
  await blank.goto('healthz');
  const control = await until(blank, ['body']);
  // Only signed in: nothing of the client is here yet.
  const page = await person('fay', 'healthz', { viewport: { width: 390, height: 844 } });
  const bytes = await mobile(page);
  const asked: string[] = [];
  page.on('request', (request) => {
    const read = /\/api\/v1\/((?:session|conversation|message)\/)/.exec(request.url())?.[1];
    if (read) asked.push(read);
  });
  await page.goto('c/gus/');
  const cold = await until(page, usable);
  await connected(page);
  const first = bytes();
  expect(asked, 'each read once, the first two beside each other').toEqual([
    'conversation/',
    'session/',
    'message/',
  ]);
  // The cache is written a moment after it changed.
  await expect.poll(async () => (await rows(page, 'fay', 'threads')).length).toBe(1);
  await page.reload();
  const warm = await until(page, usable);
  await connected(page);
  expect(first).toBeGreaterThan(30 * 1024);
  expect(first, 'bytes of the first visit').toBeLessThan(80 * 1024);
  expect(bytes() - first, 'bytes of a reload').toBeLessThan(12 * 1024);
  process.stdout.write(
    `      usable on a phone after ${cold.toFixed(0)} ms (${(first / 1024).toFixed(0)} KiB), after a reload ` +
      `${warm.toFixed(0)} ms (${((bytes() - first) / 1024).toFixed(1)} KiB); a blank page ${control.toFixed(0)} ms\n`,
  );
});
