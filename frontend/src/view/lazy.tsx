// A part of the page that is fetched when it is first wanted. When that fails the rest goes on: in its place stands what
// happened and what to do, and the next time it is wanted it is asked for again.

import { type Signal, signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { strings } from '../words';

export interface Part<P> {
  readonly drawing: Signal<ComponentType<P> | 'missing' | null>;
  readonly load: () => Promise<void>;
}

export function part<P>(fetchIt: () => Promise<ComponentType<P>>): Part<P> {
  const drawing: Part<P>['drawing'] = signal(null);
  return {
    drawing,
    load: async () => {
      if (drawing.peek() === 'missing') drawing.value = null;
      drawing.value ??= await fetchIt().catch(() => 'missing' as const);
    },
  };
}

export function Lazy<P>({ of, props }: { of: Part<P>; props: P & object }) {
  useEffect(() => {
    void of.load();
  }, [of]);
  const Drawing = of.drawing.value;
  if (Drawing === null) return <p class="part-loading" aria-busy="true" />;
  return Drawing === 'missing' ? <Missing /> : <Drawing {...props} />;
}

function Missing() {
  const words = strings.missing;
  return (
    <div class="part-missing" role="alert">
      <p>{words.text}</p>
      <button type="button" class="soft" onClick={() => location.reload()}>
        {words.reload}
      </button>
    </div>
  );
}
