// Says when there is no connection, over the content: nothing moves when it comes or goes.

import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { strings } from '../words';
import { useClient } from './context';
import { OfflineIcon } from './icons';

/** How long a link may be gone before it is worth a word. */
export const PATIENCE_MS = 3_000;

export function Banner() {
  const { state } = useClient().store;
  const late = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useSignalEffect(() => {
    if (state.link.value === 'up') {
      clearTimeout(timer.current);
      timer.current = undefined;
      late.value = false;
    } else {
      // Between two tries the link is "connecting" for a moment: only being up ends the wait.
      timer.current ??= setTimeout(() => {
        late.value = true;
      }, PATIENCE_MS);
    }
  });
  return (
    <div class="banner-frame" role="status">
      {late.value && (
        <p class="banner">
          <OfflineIcon />
          <span>
            <strong>{strings.link.down}.</strong> {strings.link.downText}
          </span>
        </p>
      )}
    </div>
  );
}
