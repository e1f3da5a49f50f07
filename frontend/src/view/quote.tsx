// The message that another one answers, in short, and the way to it.

import type { Message } from '../api/types';
import { strings } from '../words';
import { useClient } from './context';
import { messagePath } from './router';

const MOST = 140;

export function Quote({ peer, seq, message }: { peer: string; seq: number; message: Message | null }) {
  const { router } = useClient();
  return (
    <a class="quote" href={messagePath(router.base, peer, seq)}>
      <QuoteText message={message} />
    </a>
  );
}

/** Who said it, and how it begins. */
export function QuoteText({ message }: { message: Message | null }) {
  const { state } = useClient().store;
  if (!message) return <span class="quote-text">{strings.message.quoteWaits}</span>;
  return (
    <>
      <bdi class="quote-name">
        {message.user === state.me ? strings.message.you : state.called(message.user)}
      </bdi>
      <span class="quote-text" dir="auto">
        {message.deleted_at === null ? inShort(message.body) : strings.message.deleted}
      </span>
    </>
  );
}

function inShort(body: string): string {
  const text = body.replace(/\s+/gu, ' ');
  const letters = [...text];
  return letters.length > MOST ? `${letters.slice(0, MOST).join('')}…` : text;
}
