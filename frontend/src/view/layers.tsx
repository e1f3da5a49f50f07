// The keyboard of the whole page, and the dialogs that it opens. Their contents are fetched when they are wanted.

import { useEffect } from 'preact/hooks';
import { inOrder, requestsIn } from '../conversation/summaries';
import { strings } from '../words';
import { isRequest } from './contacts';
import { type Client, useClient } from './context';
import { Dialog } from './dialog';
import { type Command, commandOf, isApple, neighbour } from './keys';
import { closeLayer, layer, openLayer } from './layer';
import { Lazy, part } from './lazy';
import { BLOCK, REPORT } from './pages';
import { singleKeys } from './preferences';
import { conversationPath } from './router';

const SWITCHER = part(async () => (await import('./switcher')).Switcher);
const SHORTCUTS = part(async () => (await import('./shortcuts')).Shortcuts);

export function Layers() {
  const client = useClient();
  useEffect(() => {
    const listen = (event: KeyboardEvent) => hear(event, client);
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [client]);
  const words = strings.shortcuts;
  const open = layer.value;
  const close = () => open && closeLayer(open);
  if (open === 'switcher') {
    return (
      <Dialog key="switcher" title={words.switcher} onClose={close}>
        <Lazy of={SWITCHER} props={{ close }} />
      </Dialog>
    );
  }
  if (open === 'shortcuts') {
    return (
      <Dialog key="shortcuts" title={words.title} onClose={close}>
        <Lazy of={SHORTCUTS} props={{}} />
      </Dialog>
    );
  }
  if (open?.kind === 'block') {
    const name = client.store.state.called(open.peer);
    const title = open.blocked ? strings.block.undoTitle(name) : strings.block.title(name);
    return (
      <Dialog key="block" title={title} onClose={close}>
        <Lazy of={BLOCK} props={{ ...open, close }} />
      </Dialog>
    );
  }
  if (open?.kind === 'report') {
    return (
      <Dialog key="report" title={strings.report.title} onClose={close}>
        <Lazy of={REPORT} props={{ message: open.message, close }} />
      </Dialog>
    );
  }
  return null;
}

function hear(event: KeyboardEvent, client: Client): void {
  if (event.defaultPrevented || event.isComposing) return;
  const command = commandOf(event, { apple: isApple(), singleKeys: singleKeys.on.peek() });
  if (!command) return;
  event.preventDefault();
  if (!document.querySelector('dialog[open]')) act(command, client);
  else if (command === layer.peek()) closeLayer(command);
}

function act(command: Command, client: Client): void {
  if (command === 'next' || command === 'previous') walk(command === 'next' ? 1 : -1, client);
  else openLayer(command);
}

function walk(step: 1 | -1, { store, router }: Client): void {
  const { route } = router.visit.peek();
  const open = route.page === 'conversation' ? route.name : null;
  // From one request to the next, and from one conversation to the next.
  const apart = route.page === 'requests' || (open !== null && isRequest(store, open));
  const { summaries, blocked } = store.state;
  const among = apart
    ? requestsIn(summaries.peek(), blocked.peek())
    : inOrder(summaries.peek()).filter((each) => !each.request);
  const order = among.map(({ peer }) => peer);
  const next = neighbour(order, open, step);
  if (next !== null) router.go(conversationPath(router.base, next));
}
