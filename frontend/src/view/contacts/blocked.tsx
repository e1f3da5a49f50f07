// Whom one blocks, in the settings. Fetched when it is opened.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { Block } from '../../api/types';
import { pageStrings, strings } from '../../words';
import { Avatar, Handle, Name } from '../avatar';
import { useClient } from '../context';
import { conversationPath } from '../router';
import { dateOf } from '../times';
import { Trouble } from '../trouble';

export function BlockedCard() {
  const { store } = useClient();
  const { blocked, link } = store.state;
  const missing = useSignal<Failure | null>(null);
  const failed = useSignal<Failure | null>(null);
  const up = link.value === 'up';
  const list = blocked.value && [...blocked.value.values()];
  const words = { ...strings.block, ...pageStrings.block };

  async function load(): Promise<void> {
    missing.value = await store.loadBlocks();
  }

  useEffect(() => {
    if (blocked.peek() === null) void load();
  }, [up]);

  async function unblock(name: string): Promise<void> {
    failed.value = null;
    failed.value = await store.unblock(name);
  }

  return (
    <section class="card" aria-labelledby="blocked-title" aria-busy={list === null && missing.value === null}>
      <h2 id="blocked-title">{words.list}</h2>
      <p>{list?.length === 0 ? words.none : words.pageText}</p>
      <ul class="devices">
        {list?.map((each) => (
          <Line key={each.user} block={each} unblock={() => void unblock(each.user)} />
        ))}
      </ul>
      {list === null && missing.value && (
        <Trouble text={words.missing} failure={missing.value} again={() => void load()} />
      )}
      {failed.value && <Trouble text={words.notUndone} failure={failed.value} />}
    </section>
  );
}

function Line({ block, unblock }: { block: Block; unblock: () => void }) {
  const { router, store } = useClient();
  const words = { ...strings.block, ...pageStrings.block };
  const { user, since } = block;
  return (
    <li class="device">
      <a class="person" href={conversationPath(router.base, user)}>
        <Avatar name={user} />
        <span>
          <Name of={user} />
          <Handle of={user} />
          <small>{words.since(dateOf(since))}</small>
        </span>
      </a>
      <button type="button" class="soft" aria-label={words.undo(store.state.called(user))} onClick={unblock}>
        {words.unblock}
      </button>
    </li>
  );
}
