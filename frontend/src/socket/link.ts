// The live connection: it stays up, comes back by itself, and says what it hears. It knows no chat: frames go to the
// owner, who also says from which cursor to resume. A link that went dead without a close is found out by a ping.

import { delay } from './backoff';

export type LinkState = 'connecting' | 'up' | 'down';

export interface Frame {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface LinkOptions {
  /** The address to open, asked for at each attempt because it carries the cursor. */
  address: () => string;
  onFrame: (frame: Frame) => void;
  onState: (state: LinkState) => void;
  /** The server does not want this connection. The answer says whether to go on trying. */
  onRefused: () => Promise<boolean>;
  open?: (address: string) => WebSocket;
  random?: () => number;
}

export interface Link {
  start: () => void;
  stop: () => void;
  /** Says something that nothing depends on; without a live link it is not said. */
  say: (frame: Frame) => void;
  /**
   * Try now instead of after the wait: the network is back, or somebody is looking. A live link is asked for a sign; a
   * try that got no greeting yet may hang on the network that was, so another takes its place.
   */
  hurry: () => void;
  /** The network is said to be gone: a live link has a moment to show that it is not, as on the server's own machine. */
  doubt: () => void;
}

const QUIET_MS = 35_000;
const PING_MS = 8_000;
const DOUBT_MS = 2_000;
const OPEN = 1;
const ABNORMAL = 1006;
const POLICY = 1008;

export function createLink(options: LinkOptions): Link {
  const open = options.open ?? ((address) => new WebSocket(address));
  let socket: WebSocket | null = null;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watch: ReturnType<typeof setTimeout> | undefined;
  let wanted = false;
  let asking = false;
  let greeted = false;
  /** Counts connections, so that what an old one still says is not heard. */
  let generation = 0;

  function connect(): void {
    clearTimeout(retry);
    generation += 1;
    const mine = generation;
    greeted = false;
    options.onState('connecting');
    const ws = open(options.address());
    socket = ws;
    listen(mine);
    ws.onmessage = (event) => {
      if (mine !== generation) return;
      const frame = parseFrame(event.data);
      listen(mine);
      if (!frame) return;
      if (frame.type === 'hello') {
        greeted = true;
        attempt = 0;
        options.onState('up');
      }
      options.onFrame(frame);
    };
    ws.onclose = (event) => {
      if (mine === generation) lost(event.code);
    };
  }

  function lost(code: number): void {
    drop();
    if (!wanted) return;
    options.onState('down');
    retry = setTimeout(connect, delay(attempt, options.random));
    attempt += 1;
    if (!greeted || code === POLICY || (code >= 4000 && code < 5000)) void ask();
  }

  /** The wait for the next try goes on meanwhile: an answer may take long, or never come. */
  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    const goOn = await options.onRefused().finally(() => {
      asking = false;
    });
    if (!goOn) stop();
  }

  /** Starts the watch anew: silence, then a ping, then silence again means that nobody is there. */
  function listen(mine: number): void {
    clearTimeout(watch);
    watch = setTimeout(() => probe(mine, PING_MS), QUIET_MS);
  }

  function probe(mine: number, patience: number): void {
    if (mine !== generation) return;
    clearTimeout(watch);
    if (socket?.readyState === OPEN) socket.send('{"type":"ping"}');
    watch = setTimeout(() => {
      if (mine === generation) lost(ABNORMAL);
    }, patience);
  }

  function drop(): void {
    clearTimeout(watch);
    generation += 1;
    const old = socket;
    socket = null;
    if (!old) return;
    old.onmessage = null;
    old.onclose = null;
    old.close();
  }

  function stop(): void {
    wanted = false;
    clearTimeout(retry);
    drop();
  }

  return {
    start: () => {
      wanted = true;
      if (socket === null) connect();
    },
    stop,
    say: (frame) => {
      if (greeted && socket?.readyState === OPEN) socket.send(JSON.stringify(frame));
    },
    hurry: () => {
      if (!wanted) return;
      if (socket !== null && greeted) return probe(generation, PING_MS);
      drop();
      attempt = 0;
      connect();
    },
    doubt: () => {
      if (greeted) probe(generation, DOUBT_MS);
    },
  };
}

function parseFrame(data: unknown): Frame | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    const typed =
      typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return typed ? (value as Frame) : null;
  } catch {
    return null;
  }
}
