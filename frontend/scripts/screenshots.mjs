// Takes the README's two pictures of a running `chatd serve --demo`:
//   node scripts/screenshots.mjs http://127.0.0.1:8000
import { chromium } from '@playwright/test';

const base = process.argv[2] ?? 'http://127.0.0.1:8000';
const pictures = [
  { file: 'screenshot.png', width: 1280, height: 800, colorScheme: 'light' },
  { file: 'screenshot-phone.png', width: 390, height: 844, colorScheme: 'dark' },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
for (const { file, width, height, colorScheme } of pictures) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(`${base}/login/?next=/c/bob/`);
  await page.getByLabel('Username').fill('ann');
  await page.getByLabel('Password').fill('demo-password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('When do we switch?').last().waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: new URL(`../../docs/${file}`, import.meta.url).pathname });
  await page.close();
}
await browser.close();
