// The pages that are fetched when they are wanted, in one file, and their words in another.

import { speakOnPages } from '../words';
import { part } from './lazy';

/** Waits until there are words for it too. */
async function withWords<T>(drawing: T): Promise<T> {
  await speakOnPages();
  return drawing;
}

export const PAGES = {
  settings: part(async () => withWords((await import('./settings-cards')).SettingsCards)),
  account: part(async () => withWords((await import('./account')).AccountCards)),
  data: part(async () => withWords((await import('./account')).DataCards)),
  profile: part(async () => withWords((await import('./account')).ProfileCards)),
  invites: part(async () => withWords((await import('./account')).InviteCards)),
  blocked: part(async () => withWords((await import('./account')).BlockedCard)),
  reports: part(async () => withWords((await import('./account')).ReportCards)),
};

export const BLOCK = part(async () => withWords((await import('./account')).BlockDialog));

export const REPORT = part(async () => withWords((await import('./account')).ReportDialog));
