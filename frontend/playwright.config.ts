import { defineConfig } from '@playwright/test';
import type { Workers } from './e2e/fixtures';

// As for the server's tests: where MariaDB is required its absence is a failure, elsewhere the project is left out.
const required = (process.env.CHATD_TEST_REQUIRE ?? '').split(',').includes('mariadb');
const onMariadb = required || process.env.CHATD_TEST_MARIADB_URL !== undefined;

// One worker: the tests share a server that some of them stop. `CHATD_BIN` is the program to test, else the debug build.
export default defineConfig<object, Workers>({
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env.CI !== undefined,
  reporter: [['list']],
  projects: [
    { name: 'sqlite', use: { database: 'sqlite' } },
    ...(onMariadb
      ? [{ name: 'mariadb', use: { database: 'mariadb' as const }, testMatch: /(talk|away|history)\.spec/ }]
      : []),
  ],
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    // `--trace retain-on-failure` shows each step of a failed test; it costs a third of the time.
    trace: 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
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
