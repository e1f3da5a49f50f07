// New recovery codes, which are shown once.

import { useSignal } from '@preact/signals';
import { pageStrings } from '../../words';
import { copy } from '../copy';

export function RecoveryCodes({ codes, close }: { codes: readonly string[]; close: () => void }) {
  const copied = useSignal(false);
  const words = pageStrings.secondFactor;
  return (
    <div class="new-codes">
      <p>{words.keepCodes}</p>
      <ul class="codes" dir="ltr" aria-label={words.codes}>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="card-buttons">
        <button
          type="button"
          class="soft"
          onClick={() => {
            copied.value = copy(codes.join('\n'));
          }}
        >
          {copied.value ? pageStrings.invites.copied : words.copyCodes}
        </button>
        <button type="button" class="button" onClick={close}>
          {words.kept}
        </button>
      </div>
    </div>
  );
}
