// A face for a name: a picture, or initials on one of twelve hues, the same on every device.

import { useClient } from './context';

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

/** The name stands beside it: it says nothing by itself. The initials are there until the picture is, and if it never is. */
export function Avatar({ name, size = 'm' }: { name: string; size?: 's' | 'm' | 'l' }) {
  const { store, router } = useClient();
  const avatar = store.state.faces.value.get(name)?.avatar;
  return (
    <span class={`avatar avatar-${size} hue-${hueOf(name)}`} aria-hidden="true">
      {initials(store.state.called(name))}
      {avatar && (
        <img
          key={avatar}
          src={`${router.base}api/v1/avatar/${avatar}/`}
          alt=""
          width="256"
          height="256"
          decoding="async"
          draggable={false}
          onError={(event) => {
            event.currentTarget.hidden = true;
          }}
        />
      )}
    </span>
  );
}

/** What somebody is called. */
export function Name({ of }: { of: string }) {
  return <bdi>{useClient().store.state.called(of)}</bdi>;
}

/** The username, where somebody is called something else. */
export function Handle({ of }: { of: string }) {
  if (useClient().store.state.called(of) === of) return null;
  return <bdi class="handle">@{of}</bdi>;
}
