// Reads new messages of the open conversation out, once, with the sender; of a burst only the number.

import { effect, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '../api/types';
import { strings } from '../words';
import { useClient } from './context';
import { plainText } from './markup';

const GATHER_MS = 800;
const BURST = 5;

export function Announcer({ peer }: { peer: string | null }) {
  const { state } = useClient().store;
  const said = useSignal('');
  const gathered = useRef<Message[]>([]);
  const open = useRef(peer);
  open.current = peer;
  const hear = (message: Message | null) => {
    if (!message || message.user !== open.current) return;
    gathered.current.push(message);
    if (gathered.current.length > 1) return;
    setTimeout(() => {
      // The same words twice would be no change, and not be read: every other time they end with a space.
      const words = sentence(gathered.current, (name) => state.called(name));
      said.value = said.peek() === words ? `${words}\u00a0` : words;
      gathered.current = [];
    }, GATHER_MS);
  };
  // Not `useSignalEffect`: that runs a moment later, when of several messages only the last is there to be seen.
  useEffect(() => effect(() => hear(state.heard.value)), []);
  return (
    <div class="sr-only" aria-live="polite">
      {said.value}
    </div>
  );
}

function sentence(messages: readonly Message[], called: (name: string) => string): string {
  const { heard, heardMany } = strings.conversation;
  if (messages.length > BURST) return heardMany(messages.length);
  return messages.map((message) => heard(called(message.user), plainText(message.body))).join('\n');
}
