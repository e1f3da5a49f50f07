// The client's two panes. On a narrow screen the style shows one of them, by the page that is open.

import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { showUnread } from '../alerts/unread';
import { unreadTotal } from '../conversation/summaries';
import { Announcer } from './announcer';
import { Banner } from './banner';
import { type Client, ClientContext } from './context';
import { Layers } from './layers';
import { ConversationPane, WelcomePane } from './pane';
import { SettingsPane } from './settings';
import { Sidebar } from './sidebar';

export function App({ client }: { client: Client }) {
  const { store, router } = client;
  const visit = router.visit.value;
  const { route } = visit;
  const peer = route.page === 'conversation' ? route.name : null;

  useSignalEffect(() => {
    showUnread(unreadTotal(store.state.summaries.value));
  });

  useEffect(() => {
    const look = () => store.attend(!document.hidden);
    look();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);

  return (
    <ClientContext.Provider value={client}>
      <main class="shell" data-page={route.page} data-link={store.state.link.value}>
        <Sidebar
          current={peer ?? (route.page === 'settings' ? '' : null)}
          requests={route.page === 'requests'}
        />
        {peer !== null && <ConversationPane name={peer} visit={visit} />}
        {route.page === 'settings' && <SettingsPane section={route.section} />}
        {(route.page === 'home' || route.page === 'requests') && <WelcomePane />}
        <Banner />
        <Announcer peer={peer} />
        <Layers />
      </main>
    </ClientContext.Provider>
  );
}
