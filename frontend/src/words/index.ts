// The words of the language that is spoken. English is always here; the others are loaded before the first drawing.
// How to add a language: a file with the keys of `en.ts`, one with those of `pages-en.ts`, and its lines in `LANGUAGES`.

import { en } from './en';
import type { en as enPages } from './pages-en';

export type Words = typeof en;
export type PageWords = typeof enPages;

interface Language {
  /** As its speakers call it. */
  readonly name: string;
  readonly direction: 'ltr' | 'rtl';
  readonly load: () => Promise<Words>;
  /** The words of the pages that are fetched when they are wanted. */
  readonly loadPages: () => Promise<PageWords>;
}

export const LANGUAGES = {
  en: {
    name: 'English',
    direction: 'ltr',
    load: async () => en,
    loadPages: async () => (await import('./pages-en')).en,
  },
  de: {
    name: 'Deutsch',
    direction: 'ltr',
    load: async () => (await import('./de')).de,
    loadPages: async () => (await import('./pages-de')).de,
  },
  ar: {
    name: 'العربية',
    direction: 'rtl',
    load: async () => (await import('./ar')).ar,
    loadPages: async () => (await import('./pages-ar')).ar,
  },
} as const satisfies Record<string, Language>;

export type LanguageCode = keyof typeof LANGUAGES;

let language: LanguageCode = 'en';

const KEY = 'chatd:language';

/** What everything is said in. It changes once, before anything is drawn. */
export let strings: Words = en;
/** What those pages say; there are none before. */
export let pageStrings = {} as PageWords;
/** For `Intl`: the browser's own variety of the language that is spoken, or the language itself. */
export let locale = 'en';

export async function speak(code: LanguageCode = spoken()): Promise<void> {
  strings = await LANGUAGES[code].load();
  language = code;
  locale = navigator.languages.find((each) => languageOf(each) === code) ?? code;
  document.documentElement.lang = code;
  document.documentElement.dir = LANGUAGES[code].direction;
}

export async function speakOnPages(code: LanguageCode = language): Promise<void> {
  pageStrings = await LANGUAGES[code].loadPages();
}

/** The language that was chosen, as far as this device knows; null: the browser's. */
export function chosenLanguage(): LanguageCode | null {
  try {
    return known(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

/** The page is drawn anew in it. */
function chooseLanguage(code: LanguageCode | null, base: string): void {
  try {
    if (code === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, code);
    // The sign-in page is the server's, which knows the browser's list alone.
    const age = code === null ? 0 : 365 * 86_400;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store is for secure pages alone
    document.cookie = `chatd-language=${code ?? ''}; path=${base}; max-age=${age}; samesite=lax`;
  } catch {
    return;
  }
  location.reload();
}

/** What was chosen for the account goes before what this device remembers of it. Empty: the browser's. */
export function followLanguage(chosen: string | undefined, base: string): void {
  if (chosen === undefined || known(chosen) === chosenLanguage()) return;
  chooseLanguage(known(chosen), base);
}

function spoken(): LanguageCode {
  const wanted = navigator.languages.map((each) => known(languageOf(each)));
  return chosenLanguage() ?? wanted.find((code) => code !== null) ?? 'en';
}

function languageOf(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}

function known(code: string | null): LanguageCode | null {
  return code !== null && Object.hasOwn(LANGUAGES, code) ? (code as LanguageCode) : null;
}
