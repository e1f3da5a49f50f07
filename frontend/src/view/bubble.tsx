// One message. It is drawn again only when something in its row changed.

import { Component } from 'preact';
import { strings } from '../strings';
import { Avatar } from './avatar';
import { ClockTick, FailedTick, ReadTick, StoredTick } from './icons';
import { isBigEmoji, pieces } from './links';
import type { Delivery, MessageRow } from './rows';
import { inFull, timeOfDay } from './times';

export interface BubbleProps {
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
    const { row, highlighted } = this.props;
    const { key, seq, mine, first, last, sender, delivery } = row;
    const shape = [mine ? 'mine' : 'theirs', first && 'first', last && 'last', highlighted && 'highlighted'];
    const big = isBigEmoji(row.body);
    return (
      <div class={`row ${shape.filter(Boolean).join(' ')}`} data-key={key} data-seq={seq ?? undefined}>
        {!mine && first && <Avatar name={sender} size="s" />}
        <div class="stack">
          {!mine && first && (
            <bdi class="sender" aria-hidden="true">
              {sender}
            </bdi>
          )}
          <div class={`bubble${big ? ' big' : ''}${delivery === 'failed' ? ' refused' : ''}`}>
            <span class="sr-only">
              {mine ? strings.conversation.mine : strings.conversation.from(sender)}{' '}
            </span>
            <div class="body" dir="auto">
              <Body text={row.body} />
              <span class="meta">
                <time dateTime={row.timestamp} title={inFull(row.timestamp)}>
                  {timeOfDay(row.timestamp)}
                </time>
                {delivery && <Tick delivery={delivery} />}
              </span>
            </div>
          </div>
          {delivery === 'failed' && <Refused {...this.props} />}
        </div>
      </div>
    );
  }
}

function Body({ text }: { text: string }) {
  return (
    <span class="text">
      {pieces(text).map((piece) =>
        piece.href ? (
          <a href={piece.href} target="_blank" rel="noopener noreferrer">
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </span>
  );
}

const TICKS = { sending: ClockTick, stored: StoredTick, read: ReadTick, failed: FailedTick };

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
      <p>{row.refused || words.unknownReason}</p>
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
