// A face for a name: initials on one of twelve hues, the same on every device.

const HUES = 12;

export function hueOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const letter of name.toLowerCase()) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % HUES;
}

export function initials(name: string): string {
  const [first = '', second = ''] = name.split(/[\s._@+-]+/u).filter((part) => part !== '');
  const letters = second === '' ? [...first].slice(0, 2) : [[...first][0] ?? '', [...second][0] ?? ''];
  return letters.join('').toUpperCase() || '?';
}

export function Avatar({ name, size = 'm' }: { name: string; size?: 's' | 'm' | 'l' }) {
  return (
    <span class={`avatar avatar-${size} hue-${hueOf(name)}`} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
