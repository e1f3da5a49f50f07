// Runs Lighthouse over the client's screens in a browser in which somebody is signed in. `../../scripts/lighthouse` calls
// it, with the folder that Lighthouse is installed in.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { startHarness } from '../e2e/harness.mjs';

const from = resolve(process.argv[2] ?? '.', 'node_modules/lighthouse/core/index.js');
const { default: lighthouse } = await import(pathToFileURL(from).href);

const PORT = 20_000 + (process.pid % 10_000);
const SCREENS = { list: '', conversation: 'c/bob/', settings: 'settings/' };
const MUST_BE_WHOLE = ['accessibility', 'best-practices'];

const chatd = await startHarness();
await chatd.sendMany('bob', 'ann', ['Good morning.', 'See https://example.org, **today**.']);
await chatd.send('ann', 'bob', 'On my way.');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    `--remote-debugging-port=${PORT}`,
  ],
});

/** What is wrong on one page; its scores are printed. */
async function look(name, path) {
  const { lhr } = await lighthouse(chatd.url + path, {
    port: PORT,
    // The sign-in is in there.
    disableStorageReset: true,
    onlyCategories: [...MUST_BE_WHOLE, 'performance'],
    logLevel: 'error',
  });
  const scores = Object.values(lhr.categories).map(
    ({ title, score }) => `${title} ${Math.round(score * 100)}`,
  );
  const times = ['first-contentful-paint', 'largest-contentful-paint', 'interactive'].map(
    (id) => `${lhr.audits[id].title} ${lhr.audits[id].displayValue}`,
  );
  process.stdout.write(`${name}: ${scores.join(', ')}; ${times.join(', ')}\n`);
  const short = MUST_BE_WHOLE.map((id) => lhr.categories[id]).filter(({ score }) => score !== 1);
  // A page that could not be looked at has no scores, and no audits that say why.
  if (lhr.runtimeError) return [`${name}: ${lhr.runtimeError.message}`];
  const audits = short
    .flatMap(({ auditRefs }) => auditRefs)
    .map(({ id, weight }) => ({ weight, ...lhr.audits[id] }))
    .filter(({ weight, score }) => weight > 0 && score !== null && score < 1)
    .map(({ title, details }) => `${name}: ${title} ${JSON.stringify(details?.items ?? [])}`);
  return [...short.map(({ title }) => `${name}: ${title} is not 100`), ...audits];
}

const wrong = [];
try {
  wrong.push(...(await look('sign-in', 'login/')));
  // Lighthouse opens its pages in the browser's own context.
  const page = await chromium.connectOverCDP(`http://127.0.0.1:${PORT}`);
  await page.contexts()[0].addCookies(await chatd.cookiesOf('ann'));
  for (const [name, path] of Object.entries(SCREENS)) wrong.push(...(await look(name, path)));
} finally {
  await browser.close();
  await chatd.stop();
}
for (const each of wrong) process.stdout.write(`${each}\n`);
process.stdout.write(
  wrong.length === 0 ? 'lighthouse: nothing to find fault with\n' : 'lighthouse: see above\n',
);
process.exitCode = wrong.length === 0 ? 0 : 1;
