// The settings of the keyboard.

import { pageStrings, strings } from '../words';
import { openLayer } from './layer';
import { singleKeys } from './preferences';
import { Toggle } from './toggle';

export function KeyboardCard() {
  const words = pageStrings.settings;
  return (
    <section class="card">
      <h2>{words.keyboard}</h2>
      <Toggle preference={singleKeys} label={words.singleKeys} hint={words.singleKeysText} />
      <button type="button" class="menu-item" onClick={() => openLayer('shortcuts')}>
        {strings.shortcuts.title}
      </button>
    </section>
  );
}
