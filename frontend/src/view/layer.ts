// The one dialog that may be open above everything else. Opened from anywhere, drawn by `layers.tsx`.

import { signal } from '@preact/signals';
import type { Message } from '../api/types';

/** About somebody, or a message of theirs. */
type About =
  | { readonly kind: 'block'; readonly peer: string; readonly blocked: boolean }
  | { readonly kind: 'report'; readonly message: Message };

export type Layer = 'switcher' | 'shortcuts' | About;

export const layer = signal<Layer | null>(null);

export function openLayer(wanted: Layer): void {
  layer.value = wanted;
}

/** A dialog that is closed says so a moment later: another may be open by then. */
export function closeLayer(closed: Layer): void {
  if (layer.peek() === closed) layer.value = null;
}
