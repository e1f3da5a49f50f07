// What was reported, for the staff, in the settings. Fetched when it is opened.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Failure } from '../../api/failure';
import type { Report } from '../../api/types';
import { pageStrings, strings } from '../../words';
import { useClient } from '../context';
import { inFull } from '../times';
import { Trouble } from '../trouble';

type Which = 'open' | 'closed';

interface Listed {
  readonly reports: readonly Report[];
  readonly next: string | null;
}

export function ReportCards() {
  const which = useSignal<Which>('open');
  const words = pageStrings.reports;
  return (
    <section class="card" aria-labelledby="reports-title">
      <h2 id="reports-title">{words.list}</h2>
      <p>{words.text}</p>
      <fieldset class="themes">
        <legend>{words.which}</legend>
        <div class="segments">
          {(['open', 'closed'] as const).map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="reports"
                checked={which.value === each}
                onChange={() => {
                  which.value = each;
                }}
              />
              <span>{words[each]}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <ReportList key={which.value} which={which.value} />
    </section>
  );
}

function ReportList({ which }: { which: Which }) {
  const { api, store, failureOf } = useClient();
  const listed = useSignal<Listed | null>(null);
  const missing = useSignal<Failure | null>(null);
  const failed = useSignal<Failure | null>(null);
  const loading = useRef(false);
  const up = store.state.link.value === 'up';
  const words = pageStrings.reports;

  /** The page after those that are here. */
  async function load(): Promise<void> {
    if (loading.current) return;
    loading.current = true;
    missing.value = null;
    try {
      const now = listed.peek();
      const page = now?.next ? await api.moreReports(now.next) : await api.reports(which);
      listed.value = { reports: [...(now?.reports ?? []), ...page.results], next: page.next };
    } catch (error) {
      missing.value = failureOf(error);
    }
    loading.current = false;
  }

  useEffect(() => {
    if (listed.peek() === null) void load();
  }, [up]);

  async function close(report: Report, closed: boolean): Promise<void> {
    failed.value = null;
    try {
      await api.closeReport(report.id, closed);
      const now = listed.peek();
      if (now) listed.value = { ...now, reports: now.reports.filter((each) => each.id !== report.id) };
    } catch (error) {
      failed.value = failureOf(error);
    }
  }

  const now = listed.value;
  return (
    <div aria-busy={now === null && missing.value === null}>
      {now?.reports.length === 0 && now.next === null && <p class="results-note">{words.none[which]}</p>}
      {failed.value && <Trouble text={words.notSaved} failure={failed.value} />}
      {now?.reports.map((each) => (
        <ReportCard key={each.id} report={each} close={(closed) => void close(each, closed)} />
      ))}
      {missing.value && <Trouble text={words.missing} failure={missing.value} again={() => void load()} />}
      {now?.next && !missing.value && (
        <button type="button" class="soft more" onClick={() => void load()}>
          {words.more}
        </button>
      )}
    </div>
  );
}

function ReportCard({ report, close }: { report: Report; close: (closed: boolean) => void }) {
  const { reporter, reason, message, context } = report;
  const words = pageStrings.reports;
  const closed = report.closed_at !== null;
  const id = `report-${report.id}`;
  return (
    <article class="report" aria-labelledby={id}>
      <h3 id={id}>{words.by(reporter ?? words.nobody, message?.user ?? words.nobody)}</h3>
      <small>
        <time dateTime={report.created_at}>{inFull(report.created_at)}</time>
        {report.closed_at !== null &&
          ` · ${words.closedBy(report.closed_by ?? words.nobody, inFull(report.closed_at))}`}
      </small>
      <p dir="auto">{reason || words.noReason}</p>
      <ol aria-label={words.context}>
        {context.map((each) => (
          <li key={each.id} class={each.id === message?.id ? 'reported' : undefined}>
            <small>
              <bdi>{each.user}</bdi> · <time dateTime={each.timestamp}>{inFull(each.timestamp)}</time>
              {each.id === message?.id && ` · ${words.reported}`}
            </small>
            <p dir="auto">{each.body || strings.message.deleted}</p>
          </li>
        ))}
      </ol>
      <div class="card-buttons">
        <button type="button" class="soft" onClick={() => close(!closed)}>
          {closed ? words.reopen : words.close}
        </button>
      </div>
    </article>
  );
}
