// Above a conversation: whose it is, how they appear at this moment, and how one keeps it.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { isMuted } from '../alerts/worth';
import type { Failure } from '../api/failure';
import type { Arrangement, Presence } from '../api/types';
import { strings } from '../words';
import { Avatar, Handle, Name } from './avatar';
import { useClient } from './context';
import { MoreIcon } from './icons';
import { openLayer } from './layer';
import { clockIn, shortTime, today } from './times';
import { Trouble } from './trouble';

/** Mutings on offer, in hours. */
const HOUR_MS = 3_600_000;
const EVER = '9999-12-31T23:59:59Z';
const MENU = 'conversation-menu';

/** One line, always there: what is said in it comes and goes without moving anything. */
export function Appearance({ peer }: { peer: string }) {
  const { state } = useClient().store;
  const typing = state.typing.value.has(peer);
  const presence = state.blocked.value?.has(peer) ? undefined : state.presence.value.get(peer);
  const text = typing ? strings.presence.typing : peer === state.me ? strings.list.notes : inWords(presence);
  return (
    <p class={`appearance${typing ? ' typing' : ''}`} role="status">
      <span key={text}>{text}</span>
    </p>
  );
}

function inWords(presence: Presence | undefined): string {
  const words = strings.presence;
  if (presence?.state === 'online') return words.online;
  if (presence?.state === 'away') return words.away;
  if (presence?.state !== 'offline' || presence.last_seen === null) return '';
  return words.seen(shortTime(presence.last_seen, today.value));
}

export function ConversationMenu({ peer }: { peer: string }) {
  const { store } = useClient();
  const summary = store.state.summaries.value.get(peer);
  const panel = useRef<HTMLDivElement>(null);
  const failed = useSignal<Failure | null>(null);
  const words = strings.keep;
  const label = words.menu(store.state.called(peer));
  /** How often it was opened: the time in it moves on. */
  const looks = useSignal(0);
  const begun = summary !== undefined && summary.last_seq > 0;
  const other = peer !== store.state.me && (begun || store.known(peer));
  if (!begun && !other) return null;

  async function arrange(change: Arrangement): Promise<void> {
    failed.value = await store.arrange(peer, change);
    if (!failed.peek()) panel.current?.hidePopover();
  }

  const until = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
  const muted = begun && isMuted(summary, Date.now());
  const blocked = store.state.blocked.value?.has(peer);
  return (
    <>
      <button type="button" class="round" popovertarget={MENU} aria-label={label} title={label}>
        <MoreIcon />
      </button>
      <div
        class="menu conversation-menu"
        id={MENU}
        popover="auto"
        ref={panel}
        onToggle={() => {
          looks.value += 1;
        }}
      >
        <Person peer={peer} key={looks.value} />
        {failed.value && <Trouble text={words.failed} failure={failed.value} />}
        {begun && (
          <>
            <Choice
              label={summary.pinned ? words.unpin : words.pin}
              act={() => void arrange({ pinned: !summary.pinned })}
            />
            <Choice
              label={summary.archived ? words.unarchive : words.archive}
              act={() => void arrange({ archived: !summary.archived })}
            />
            {muted ? (
              <Choice label={words.unmute} act={() => void arrange({ muted_until: null })} />
            ) : (
              <>
                <Choice label={words.muteHour} act={() => void arrange({ muted_until: until(1) })} />
                <Choice label={words.muteEight} act={() => void arrange({ muted_until: until(8) })} />
                <Choice label={words.muteEver} act={() => void arrange({ muted_until: EVER })} />
              </>
            )}
          </>
        )}
        {other && (
          <Choice
            label={(blocked ? strings.block.undo : strings.block.menu)(store.state.called(peer))}
            danger={!blocked}
            act={() => {
              // First: the dialog gives the focus back to what has it, and that must not be hidden then.
              panel.current?.hidePopover();
              openLayer({ kind: 'block', peer, blocked: blocked === true });
            }}
          />
        )}
      </div>
    </>
  );
}

/** Who it is, in their own words. */
function Person({ peer }: { peer: string }) {
  const { about, time_zone: zone } = useClient().store.state.faces.value.get(peer) ?? {};
  const time = zone ? clockIn(zone) : null;
  return (
    <div class="menu-who">
      <Avatar name={peer} />
      <span>
        <Name of={peer} />
        <Handle of={peer} />
        {about && <small dir="auto">{about}</small>}
        {time && <small>{strings.conversation.time(time)}</small>}
      </span>
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly act: () => void;
  readonly danger?: boolean;
}

function Choice({ label, act, danger = false }: ChoiceProps) {
  return (
    <button type="button" class={danger ? 'menu-item leave' : 'menu-item'} onClick={act}>
      {label}
    </button>
  );
}
