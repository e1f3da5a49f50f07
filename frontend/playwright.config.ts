import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';
import type { Workers } from './e2e/fixtures';

// As for the server's tests: where MariaDB is required its absence is a failure, elsewhere the project is left out.
const required = (process.env.CHATD_TEST_REQUIRE ?? '').split(',').includes('mariadb');
const STORED = /(talk|away|history|changes|reading)\.spec/;
const whole = process.env.CHATD_E2E_WHOLE !== undefined;
// The same browser without windows takes a third less of the processor; all of it is run in the whole one.
const SHELL = '/usr/bin/chromium-headless-shell';
const executablePath = process.env.CHROMIUM ?? (!whole && existsSync(SHELL) ? SHELL : '/usr/bin/chromium');
const onMariadb = required || process.env.CHATD_TEST_MARIADB_URL !== undefined;

// Each file has a server of its own, which some tests stop: files run beside each other, the tests of one do not.
// `CHATD_BIN` is the program to test, else the debug build. On MariaDB too run the tests in which the database has a part;
// with CHATD_E2E_WHOLE all of them.
export default defineConfig<object, Workers>({
  testDir: 'e2e',
  outputDir: 'test-results',
  // More than there are processors: most tests wait for something now and then.
  workers: 3,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env.CI !== undefined,
  reporter: [['list']],
  projects: [
    { name: 'sqlite', use: { database: 'sqlite' } },
    ...(onMariadb
      ? [{ name: 'mariadb', use: { database: 'mariadb' as const }, testMatch: whole ? /\.spec/ : STORED }]
      : []),
  ],
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    // What it has kept would answer for a part that a test takes away; the tests of it allow it.
    serviceWorkers: 'block',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    // `--trace retain-on-failure` shows each step of a failed test; it costs a third of the time.
    trace: 'off',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
