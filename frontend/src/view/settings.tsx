// The settings: a page with a title, and its cards, which are fetched when they are wanted.

import { strings } from '../words';
import { useClient } from './context';
import { Lazy } from './lazy';
import { PAGES } from './pages';
import { PaneHeader } from './pane';
import { type Section, settingsPath } from './router';

export function SettingsPane({ section }: { section: Section | undefined }) {
  const { router } = useClient();
  const words = strings.settings;
  const title = section ? words.pages[section] : words.title;
  const parent = section && { path: settingsPath(router.base), label: words.back };
  return (
    <section key={section} class="pane" aria-label={title}>
      <PaneHeader title={title} {...(parent && { parent })} />
      <div class="settings">
        <Lazy of={PAGES[section ?? 'settings']} props={{}} />
      </div>
    </section>
  );
}
