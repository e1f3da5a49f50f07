// Shown when not even the session can be asked for.

import { strings } from '../strings';
import { Hills } from './illustration';

export function StartFailed() {
  return (
    <main class="shell-alone">
      <div class="notice" role="alert">
        <Hills />
        <h1>{strings.start.failedTitle}</h1>
        <p>{strings.start.failedText}</p>
      </div>
    </main>
  );
}
