// Draws the icons of the installed client from `public/favicon.svg`, into `public/`. Run it when the drawing changes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';

const PUBLIC = join(import.meta.dirname, '..', 'public');
const PAPER = '#fbf8f5';
/** Name, size, the part of it that the drawing takes, and what is behind. A mask may cut off a fifth on each side. */
const ICONS = [
  ['icon-192.png', 192, 0.94, 'transparent'],
  ['icon-512.png', 512, 0.94, 'transparent'],
  ['icon-maskable-512.png', 512, 0.6, PAPER],
  // On a phone that knows no masks it stands on a square of its own.
  ['icon-180.png', 180, 0.7, PAPER],
];

const drawing = readFileSync(join(PUBLIC, 'favicon.svg'), 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
for (const [name, size, part, behind] of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(
    `<style>body{margin:0;block-size:100vh;display:grid;place-items:center;background:${behind}}` +
      `svg{inline-size:${part * 100}%}</style>${drawing}`,
  );
  await page.screenshot({ path: join(PUBLIC, name), omitBackground: true });
  await page.close();
}
await browser.close();
