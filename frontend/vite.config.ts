import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { workerFiles } from './scripts/worker-files.mjs';

// Three entries: the client's shell, the script and style of the sign-in page that the server renders itself (it finds
// both in manifest.json), and the service worker, which is found by its name.
export default defineConfig({
  base: '/static/',
  plugins: [workerFiles()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        index: resolve(import.meta.dirname, 'index.html'),
        login: resolve(import.meta.dirname, 'src/login.ts'),
        sw: resolve(import.meta.dirname, 'src/worker/sw.ts'),
      },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8000',
      '/ws': { target: 'http://127.0.0.1:8000', ws: true },
    },
  },
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'node',
  },
});
