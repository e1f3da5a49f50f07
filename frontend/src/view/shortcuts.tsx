// What the keyboard can do.

import { strings } from '../words';
import { isApple } from './keys';
import { singleKeys } from './preferences';

export function Shortcuts() {
  const { shortcuts: words, keys } = strings;
  const command = isApple() ? '⌘' : keys.control;
  const alt = isApple() ? '⌥' : keys.alt;
  const rows: [string, string[]][] = [
    [words.switcher, [command, 'K']],
    [words.next, [alt, '↓']],
    [words.previous, [alt, '↑']],
    [words.title, ['?']],
    [words.send, [keys.enter]],
    [words.newLine, [keys.shift, keys.enter]],
    [words.close, [keys.escape]],
  ];
  return (
    <div class="shortcuts">
      <dl>
        {rows.map(([what, pressed]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd dir="ltr">
              {pressed.map((key, index) => (
                <>
                  {index > 0 && ' + '}
                  <kbd>{key}</kbd>
                </>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      {!singleKeys.on.value && <p>{words.singleKeysOff}</p>}
    </div>
  );
}
