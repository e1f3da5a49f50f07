// What can be found out about a page that is shown, whatever it shows: text that is cut off, and what axe says.

import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { BrowserContext, Page } from '@playwright/test';
import { build } from 'vite';

export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {}))),
  );
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`);
}

/** The text that something cuts off, or that leaves its button or the window. Names and messages may be cut in the list. */
export function clipped(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!element?.checkVisibility({ visibilityProperty: true }) || !node.nodeValue?.trim()) continue;
      if (
        element.closest(
          '.sr-only, .avatar, .jump .badge, .entry-name, .entry-preview bdi, .pane-header bdi, .text pre',
        )
      )
        continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const text of range.getClientRects()) if (isOutside(text, element)) found.add(node.nodeValue);
    }
    for (const field of document.querySelectorAll<HTMLInputElement>('[placeholder]')) {
      if (field.checkVisibility() && field.value === '' && !hasRoom(field)) found.add(field.placeholder);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.add('the page is too wide');
    return [...found];

    function isOutside(text: DOMRect, inside: Element): boolean {
      if (text.width < 1) return false;
      // What is scrolled away can be scrolled to.
      let scrolls = false;
      for (let box: Element | null = inside; box; box = box.parentElement) {
        const style = getComputedStyle(box);
        if (style.display === 'inline' || style.display === 'contents') continue;
        const bounds = box.getBoundingClientRect();
        const holds =
          style.overflowX !== 'visible' || box.matches('a, button, label, .badge, kbd, .segments span');
        if (holds && (text.left < bounds.left - 1 || text.right > bounds.right + 1)) return true;
        const cuts = ['hidden', 'clip'].includes(style.overflowY) || box.matches('button, .segments span');
        if (['auto', 'scroll'].includes(style.overflowY)) scrolls = true;
        if (cuts && !scrolls && (text.top < bounds.top - 1 || text.bottom > bounds.bottom + 1)) return true;
        if (style.position === 'fixed') break;
      }
      return text.left < -1 || text.right > innerWidth + 1;
    }

    function hasRoom(field: HTMLInputElement): boolean {
      // In a field of several lines it wraps.
      if (field.matches('textarea')) return field.scrollHeight <= field.clientHeight + 1;
      const style = getComputedStyle(field);
      const canvas = document.createElement('canvas').getContext('2d');
      if (!canvas) return false;
      canvas.font = getComputedStyle(field, '::placeholder').font;
      const room =
        field.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
      return canvas.measureText(field.placeholder).width <= room + 1;
    }
  });
}

/** Where German is asked for, the client gets the longer English. */
export async function speakPseudo(context: BrowserContext): Promise<void> {
  for (const [file, words] of [
    ['de', 'words'],
    ['pages-de', 'pages'],
  ] as const) {
    const body = await bundled(`pseudo/${words}.ts`);
    await context.route(`**/static/assets/${file}-*.js`, (route) =>
      route.fulfill({ contentType: 'text/javascript', body }),
    );
  }
}

async function bundled(file: string): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      lib: { entry: join(import.meta.dirname, file), formats: ['es'], fileName: 'pseudo' },
    },
  });
  const [first] = Array.isArray(made) ? made : [made];
  return first && 'output' in first ? first.output[0].code : '';
}
