// One message. It is drawn again only when something in its row changed.

import { Component } from 'preact';
import type { Message } from '../api/types';
import { strings } from '../words';
import { Avatar, Name } from './avatar';
import { useClient } from './context';
import { ClockTick, DeliveredTick, FailedTick, MoreIcon, ReadTick, StoredTick } from './icons';
import { isBigEmoji } from './links';
import { openMessageMenu } from './message-menu';
import { MessageText } from './message-text';
import { Quote } from './quote';
import type { Delivery, MessageRow } from './rows';
import { inFull, timeOfDay } from './times';
import { RequestNumber, refusalIn } from './trouble';

export interface BubbleProps {
  readonly peer: string;
  readonly row: MessageRow;
  readonly highlighted: boolean;
  readonly onRetry: (clientId: string) => void;
  readonly onEdit: (clientId: string) => void;
  readonly onDiscard: (clientId: string) => void;
}

export class Bubble extends Component<BubbleProps> {
  override shouldComponentUpdate(next: BubbleProps): boolean {
    const { row, highlighted } = this.props;
    const keys = Object.keys(next.row) as (keyof MessageRow)[];
    return next.highlighted !== highlighted || keys.some((key) => next.row[key] !== row[key]);
  }

  override render() {
    const { peer, row, highlighted } = this.props;
    const { key, seq, mine, first, last, sender, delivery, message } = row;
    const deleted = message !== null && message.deleted_at !== null;
    const shape = [mine ? 'mine' : 'theirs', first && 'first', last && 'last', highlighted && 'highlighted'];
    const big = isBigEmoji(row.body);
    return (
      <div class={`row ${shape.filter(Boolean).join(' ')}`} data-key={key} data-seq={seq ?? undefined}>
        {!mine && first && <Avatar name={sender} size="s" />}
        <div class="stack">
          {!mine && first && (
            <span class="sender" aria-hidden="true">
              <Name of={sender} />
            </span>
          )}
          <div
            class={`bubble${big ? ' big' : ''}${delivery === 'failed' ? ' refused' : ''}${deleted ? ' gone' : ''}`}
          >
            <span class="sr-only">{mine ? strings.conversation.mine : <Sender name={sender} />} </span>
            {row.replyTo !== null && !deleted && <Quote peer={peer} seq={row.replyTo} message={row.quote} />}
            <div class="body" dir="auto">
              {deleted ? (
                <span class="text">{strings.message.deleted}</span>
              ) : (
                <MessageText text={row.body} />
              )}
              <span class="meta">
                {!deleted && message !== null && message.edited_at !== null && (
                  <Edited at={message.edited_at} />
                )}
                <time dateTime={row.timestamp} title={inFull(row.timestamp)}>
                  {timeOfDay(row.timestamp)}
                </time>
                {delivery && <Tick delivery={delivery} />}
              </span>
            </div>
            {message !== null && !deleted && <Actions message={message} />}
          </div>
          {delivery === 'failed' && <Refused {...this.props} />}
        </div>
      </div>
    );
  }
}

function Sender({ name }: { name: string }) {
  return <>{strings.conversation.from(useClient().store.state.called(name))}</>;
}

function Edited({ at }: { at: string }) {
  return (
    <span class="edited" title={inFull(at)}>
      {strings.message.edited}
    </span>
  );
}

function Actions({ message }: { message: Message }) {
  const label = strings.message.menu(timeOfDay(message.timestamp));
  return (
    <button
      type="button"
      class="actions"
      aria-haspopup="menu"
      aria-label={label}
      title={strings.message.actions}
      onClick={(event) => {
        event.stopPropagation();
        openMessageMenu(message, event.currentTarget);
      }}
    >
      <MoreIcon />
    </button>
  );
}

const TICKS = {
  sending: ClockTick,
  stored: StoredTick,
  delivered: DeliveredTick,
  read: ReadTick,
  failed: FailedTick,
};

export function Tick({ delivery }: { delivery: Delivery }) {
  const Drawing = TICKS[delivery];
  const text = strings.status[delivery];
  return (
    <span class={`delivery delivery-${delivery}`} title={text}>
      <Drawing />
      <span class="sr-only">{text}</span>
    </span>
  );
}

function Refused({ row, onRetry, onEdit, onDiscard }: BubbleProps) {
  const words = strings.failed;
  return (
    <fieldset class="refusal" aria-label={words.actions}>
      <p>
        {refusalIn(row.refused ?? '') || words.unknownReason}
        {row.refused === '' && <RequestNumber request={row.request} />}
      </p>
      <button type="button" onClick={() => onRetry(row.key)}>
        {words.retry}
      </button>
      <button type="button" onClick={() => onEdit(row.key)}>
        {words.edit}
      </button>
      <button type="button" onClick={() => onDiscard(row.key)}>
        {words.discard}
      </button>
    </fieldset>
  );
}
