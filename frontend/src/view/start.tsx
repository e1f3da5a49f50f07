// What stands in the window before it is known who is signed in, and when not even that can be asked for.

import type { Failure } from '../api/failure';
import { strings } from '../words';
import { Logo } from './icons';
import { Hills } from './illustration';
import type { Route } from './router';
import { ListSkeleton, LogSkeleton } from './skeleton';
import { Again, Why } from './trouble';

/** `page`: the one that was asked for; on a narrow screen it decides which of the two is seen. */
export function Starting({ page }: { page: Route['page'] }) {
  const words = strings.start;
  return (
    <main class="shell" data-page={page}>
      <div class="sidebar">
        <header class="sidebar-header">
          <h1 class="brand">
            <span>
              <Logo />
              {strings.brand}
            </span>
          </h1>
        </header>
        <div class="finder" aria-hidden="true">
          <span class="ghost ghost-field" />
        </div>
        <ListSkeleton label={words.loading} />
      </div>
      <div class="pane" aria-hidden={page === 'home'}>
        <LogSkeleton label={words.loading} />
      </div>
    </main>
  );
}

export function StartFailed({ failure, again }: { failure: Failure; again: () => void }) {
  const words = strings.start;
  return (
    <main class="shell-alone">
      <div class="notice" role="alert">
        <Hills />
        <h1>{words.failedTitle}</h1>
        <p>
          <Why failure={failure} />
        </p>
        <p>{words.failedText}</p>
        <Again act={again} />
      </div>
    </main>
  );
}
