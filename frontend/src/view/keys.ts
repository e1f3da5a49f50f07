// Which key means what. Pure; `layers.tsx` listens and acts. How to add a shortcut: its command here, its line in
// `shortcuts.tsx`. One without Ctrl, Cmd or Alt is a single key: it must go through `isSingle`.

export type Command = 'switcher' | 'next' | 'previous' | 'shortcuts';

type Key = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'target'>;

export interface Habits {
  /** Ctrl+K deletes to the end of the line there; Cmd is for commands. */
  readonly apple: boolean;
  readonly singleKeys: boolean;
}

export function commandOf(key: Key, habits: Habits): Command | null {
  if (isWithCommand(key, habits) && isLetter(key, 'k')) return 'switcher';
  if (key.altKey && !key.ctrlKey && !key.metaKey && !key.shiftKey && tagOf(key.target) !== 'SELECT') {
    if (key.key === 'ArrowDown') return 'next';
    if (key.key === 'ArrowUp') return 'previous';
  }
  // An Arabic keyboard has its own question mark.
  if (isSingle(key, habits) && (key.key === '?' || key.key === '؟')) return 'shortcuts';
  return null;
}

export function isApple(platform: string = navigator.platform): boolean {
  return /^(?:Mac|iP)/.test(platform);
}

function isWithCommand(key: Key, { apple }: Habits): boolean {
  const [command, other] = apple ? [key.metaKey, key.ctrlKey] : [key.ctrlKey, key.metaKey];
  return command && !other && !key.altKey && !key.shiftKey;
}

function isSingle(key: Key, { singleKeys }: Habits): boolean {
  return singleKeys && !key.ctrlKey && !key.metaKey && !key.altKey && !takesText(key.target);
}

/** Keyboards of other scripts have the Latin letters at the same place. */
function isLetter({ key, code }: Key, letter: string): boolean {
  const latin = /^[a-z]$/i.test(key);
  return latin ? key.toLowerCase() === letter : code === `Key${letter.toUpperCase()}`;
}

const NO_TEXT = new Set([
  'checkbox',
  'radio',
  'button',
  'submit',
  'reset',
  'range',
  'color',
  'file',
  'image',
]);

/** Whether a key pressed here would write, or choose by the first letter. */
function takesText(target: EventTarget | null): boolean {
  const { type = 'text', isContentEditable = false } = (target ?? {}) as Partial<HTMLInputElement>;
  const tag = tagOf(target);
  return (
    isContentEditable || tag === 'TEXTAREA' || tag === 'SELECT' || (tag === 'INPUT' && !NO_TEXT.has(type))
  );
}

function tagOf(target: EventTarget | null): string {
  return (target as Partial<Element> | null)?.tagName ?? '';
}

/** The conversation above or below the open one; from nowhere the first or the last. */
export function neighbour(order: readonly string[], current: string | null, step: 1 | -1): string | null {
  const at = current === null ? -1 : order.indexOf(current);
  if (at < 0) return (step > 0 ? order[0] : order.at(-1)) ?? null;
  return order[at + step] ?? null;
}
