// Reads new messages of the open conversation out, once, with the sender; of a burst only the number.

import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { Message } from '../api/types';
import { strings } from '../strings';
import { useClient } from './context';

const GATHER_MS = 800;
const BURST = 5;

export function Announcer({ peer }: { peer: string | null }) {
  const { state } = useClient().store;
  const words = useSignal('');
  const gathered = useRef<Message[]>([]);
  const open = useRef(peer);
  open.current = peer;
  useSignalEffect(() => {
    const message = state.heard.value;
    if (!message || message.user !== open.current) return;
    gathered.current.push(message);
    if (gathered.current.length > 1) return;
    setTimeout(() => {
      words.value = sentence(gathered.current);
      gathered.current = [];
    }, GATHER_MS);
  });
  return (
    <div class="sr-only" aria-live="polite">
      {words.value}
    </div>
  );
}

function sentence(messages: readonly Message[]): string {
  const { heard, heardMany } = strings.conversation;
  if (messages.length > BURST) return heardMany(messages.length);
  return messages.map((message) => heard(message.user, message.body)).join('\n');
}
