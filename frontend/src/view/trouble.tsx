// That something did not work: what happened, why, what to do, and what to quote when asking for help.

import type { ComponentChildren } from 'preact';
import type { Failure } from '../api/failure';
import { pageStrings, strings } from '../words';

/** What the server says where somebody does not want a message. Why, it never says. */
const UNWELCOME = "This person can't be written to.";

const NUMBER = /\d+/g;

/** What the server says of a refusal is said as it stands where there are no words for it. */
export function refusalIn(reason: string): string {
  if (reason === UNWELCOME) return strings.trouble.unwelcome;
  const { refusals } = pageStrings;
  const words = refusals?.[reason] ?? refusals?.[reason.replace(NUMBER, '#')];
  const numbers = reason.match(NUMBER) ?? [];
  return words === undefined ? reason : numbers.reduce((said, number) => said.replace('#', number), words);
}

/** Why, in a sentence. */
export function reasonOf(failure: Failure): string {
  const words = strings.trouble;
  if (failure.kind === 'refused') return refusalIn(failure.reason) || words.refused;
  return failure.kind === 'busy' ? words.busy : words.unreachable;
}

/** The reason behind a sentence of the caller's, and below it the number of the request. */
export function Why({ failure }: { failure: Failure }) {
  return (
    <>
      {/* The server's own words may be of another direction. */}
      <bdi>{reasonOf(failure)}</bdi>
      {'request' in failure && <RequestNumber request={failure.request} />}
    </>
  );
}

export function RequestNumber({ request }: { request: string | null }) {
  if (request === null) return null;
  return (
    <small class="request">
      {strings.trouble.request} <code dir="ltr">{request}</code>
    </small>
  );
}

interface TroubleProps {
  readonly text: string;
  readonly failure: Failure | null;
  readonly again?: () => void;
  readonly kind?: string;
  readonly children?: ComponentChildren;
}

/** In the place of what is missing, or beside what was tried; without `again` what was tried is its own next step. */
export function Trouble({ text, failure, again, kind = 'menu-note', children }: TroubleProps) {
  return (
    <div class={kind} role="alert">
      <p>
        {text} {failure && <Why failure={failure} />}
      </p>
      {again && <Again act={again} />}
      {children}
    </div>
  );
}

export function Again({ act }: { act: () => void }) {
  return (
    <button type="button" class="soft" onClick={act}>
      {strings.trouble.again}
    </button>
  );
}
