// The client's two panes. On a narrow screen the style shows one of them, by the page that is open.

import { useSignalEffect } from '@preact/signals';
import { unreadTotal } from '../conversation/summaries';
import { strings } from '../strings';
import { Announcer } from './announcer';
import { Banner } from './banner';
import { type Client, ClientContext } from './context';
import { ConversationPane, WelcomePane } from './pane';
import { SettingsPane } from './settings';
import { Sidebar } from './sidebar';

export function App({ client }: { client: Client }) {
  const { store, router } = client;
  const visit = router.visit.value;
  const { route } = visit;
  const peer = route.page === 'conversation' ? route.name : null;

  useSignalEffect(() => {
    document.title = strings.title(unreadTotal(store.state.summaries.value));
  });

  return (
    <ClientContext.Provider value={client}>
      <main class="shell" data-page={route.page} data-link={store.state.link.value}>
        <Sidebar current={peer ?? (route.page === 'settings' ? '' : null)} />
        {peer !== null && <ConversationPane name={peer} visit={visit} />}
        {route.page === 'settings' && <SettingsPane />}
        {route.page === 'home' && <WelcomePane />}
        <Banner />
        <Announcer peer={peer} />
      </main>
    </ClientContext.Provider>
  );
}
