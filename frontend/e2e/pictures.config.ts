import { defineConfig } from '@playwright/test';
import config from '../playwright.config';

/** For `scripts/all-screens.mjs` alone: no test of the client. */
export default defineConfig({
  ...config,
  testDir: '.',
  testMatch: 'pictures.ts',
  outputDir: '../test-results',
  timeout: 300_000,
  projects: [{ name: 'pictures' }],
});
