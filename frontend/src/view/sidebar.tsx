// The left-hand side: who I am, finding people, and the list of conversations, or that of the requests.

import { useSignal } from '@preact/signals';
import { strings } from '../words';
import { isRequest } from './contacts';
import { useClient } from './context';
import { ConversationList, RequestList } from './conversation-list';
import { Logo } from './icons';
import { UserMenu } from './menu';
import { PeopleResults, SearchField, useSearch } from './people-search';

interface SidebarProps {
  readonly current: string | null;
  /** The requests are asked for; beside one of them they are shown as well. */
  readonly requests: boolean;
}

export function Sidebar({ current, requests }: SidebarProps) {
  const { store } = useClient();
  const asked = requests || (current !== null && isRequest(store, current));
  const text = useSignal('');
  const search = useSearch(text.value);
  return (
    <nav class="sidebar" aria-label={strings.list.label}>
      <header class="sidebar-header">
        <Brand heading={current === null && !requests} />
        <UserMenu />
      </header>
      <SearchField text={text} />
      <div class="sidebar-body">
        {search ? (
          <PeopleResults text={text} search={search} current={current} />
        ) : asked ? (
          <RequestList current={current} heading={requests} />
        ) : (
          <ConversationList current={current} />
        )}
      </div>
    </nav>
  );
}

/** The page's heading, unless a conversation or the settings are open. */
function Brand({ heading }: { heading: boolean }) {
  const { router } = useClient();
  const Tag = heading ? 'h1' : 'p';
  return (
    <Tag class="brand">
      <a href={router.base}>
        <Logo />
        {strings.brand}
      </a>
    </Tag>
  );
}
