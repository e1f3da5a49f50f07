// A preference with its switch.

import { useId } from 'preact/hooks';
import type { Preference } from './preferences';

interface ToggleProps {
  readonly preference: Preference;
  readonly label: string;
  readonly hint?: string;
  readonly onChosen?: (on: boolean) => void;
}

export function Toggle({ preference, label, hint, onChosen }: ToggleProps) {
  const id = useId();
  return (
    <label class="toggle">
      <span>
        {label}
        {hint && <small id={id}>{hint}</small>}
      </span>
      <input
        type="checkbox"
        aria-label={label}
        aria-describedby={hint ? id : undefined}
        checked={preference.on.value}
        onChange={(event) => {
          preference.choose(event.currentTarget.checked);
          onChosen?.(event.currentTarget.checked);
        }}
      />
    </label>
  );
}
