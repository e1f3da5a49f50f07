// The left-hand side: who I am, finding people, and the list of conversations.

import { useSignal } from '@preact/signals';
import { strings } from '../strings';
import { useClient } from './context';
import { ConversationList } from './conversation-list';
import { Logo } from './icons';
import { UserMenu } from './menu';
import { PeopleResults, SearchField, useSearch } from './people-search';

export function Sidebar({ current }: { current: string | null }) {
  const text = useSignal('');
  const search = useSearch(text.value);
  return (
    <nav class="sidebar" aria-label={strings.list.label}>
      <header class="sidebar-header">
        <Brand heading={current === null} />
        <UserMenu />
      </header>
      <SearchField text={text} />
      <div class="sidebar-body">
        {search ? (
          <PeopleResults text={text} search={search} current={current} />
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
