// What can go wrong with a request, in the four kinds that the client treats differently.

export type Failure =
  /** No answer. Whether the request was carried out is not known. */
  | { readonly kind: 'unreachable' }
  /** An answer that says "later"; the same request may be sent again. */
  | {
      readonly kind: 'busy';
      readonly status: number;
      readonly after: number | null;
      readonly request: RequestId;
    }
  /** The session is gone. */
  | { readonly kind: 'signed-out' }
  /** The request will never be accepted as it is. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly reason: string;
      readonly request: RequestId;
    };

/** What the server's log calls the request, for people to quote; null when something before the server answered. */
type RequestId = string | null;

export class RequestError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

export function failureOf(error: unknown): Failure {
  return error instanceof RequestError ? error.failure : { kind: 'unreachable' };
}

/** How long the server wants to be left alone, in milliseconds. */
export function waitAfter(failure: Failure): number {
  return failure.kind === 'busy' ? (failure.after ?? 0) * 1_000 : 0;
}

export const SIGNED_OUT = 'Authentication credentials were not provided.';

const LATER = new Set([408, 425, 429]);

export function classify(
  status: number,
  body: unknown,
  headers: { readonly retryAfter: string | null; readonly request: RequestId },
): Failure {
  const { request } = headers;
  if (status >= 500 || LATER.has(status)) {
    return { kind: 'busy', status, after: seconds(headers.retryAfter), request };
  }
  const reason = reasonIn(body);
  if (status === 401 || (status === 403 && reason === SIGNED_OUT)) return { kind: 'signed-out' };
  return { kind: 'refused', status, reason, request };
}

/** The sentence in an error body: `detail`, or the first error of the first field. */
function reasonIn(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const fields = body as Record<string, unknown>;
  for (const value of [fields.detail, ...Object.values(fields)]) {
    if (typeof value === 'string') return value;
    if (Array.isArray(value) && typeof value[0] === 'string') return value[0];
  }
  return '';
}

/** `Retry-After` in seconds; its other form, a date, is read too. */
function seconds(header: string | null): number | null {
  if (header === null || header.trim() === '') return null;
  const number = Number(header);
  if (Number.isFinite(number)) return Math.max(0, number);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, (date - Date.now()) / 1000);
}
