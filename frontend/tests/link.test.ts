import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { delay } from '../src/socket/backoff';
import { createLink, type Link, type LinkState } from '../src/socket/link';

class FakeSocket {
  readyState = 1;
  sent: string[] = [];
  closed = false;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code: number): void {
    this.onclose?.({ code });
  }
}

let sockets: FakeSocket[];
let states: LinkState[];
let addresses: string[];
let goOn: boolean;
let refusals: number;
let link: Link;

const newest = () => sockets.at(-1) as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  [sockets, states, addresses, goOn, refusals] = [[], [], [], true, 0];
  link = createLink({
    address: () => `ws://any/${sockets.length}`,
    onFrame: () => {},
    onState: (state) => states.push(state),
    onRefused: async () => {
      refusals += 1;
      return goOn;
    },
    open: (address) => {
      addresses.push(address);
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    random: () => 1,
  });
  link.start();
});

afterEach(() => {
  link.stop();
  vi.useRealTimers();
});

describe('coming back', () => {
  it('waits 0.5 s, 1 s, 2 s, … at most 30 s, and starts over after a greeting', () => {
    const waits: number[] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      newest().end(1006);
      const before = Date.now();
      vi.advanceTimersToNextTimer();
      waits.push(Date.now() - before);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    newest().say({ type: 'hello', cursor: 'c' });
    newest().end(1012);
    const before = Date.now();
    vi.advanceTimersToNextTimer();
    expect(Date.now() - before).toBe(500);
  });

  it('is at any moment up to the limit', () => {
    expect(delay(3, () => 0)).toBe(0);
    expect(delay(3, () => 0.5)).toBe(2_000);
    expect(delay(0, () => 0, 7_000)).toBe(7_000);
  });

  it('is at once when the network is back', () => {
    newest().end(1006);
    expect(sockets).toHaveLength(1);
    link.hurry();
    expect(sockets).toHaveLength(2);
  });

  it('is at once also while a try hangs that was begun on another network', () => {
    newest().say({ type: 'hello', cursor: 'c' });
    newest().end(1006);
    vi.advanceTimersByTime(500);
    expect(sockets, 'a try that gets no greeting').toHaveLength(2);
    const hung = newest();
    link.hurry();
    expect(sockets).toHaveLength(3);
    expect([hung.closed, hung.onmessage, hung.onclose]).toEqual([true, null, null]);
    newest().say({ type: 'hello', cursor: 'c' });
    expect(states.at(-1)).toBe('up');
    vi.advanceTimersByTime(30_000);
    expect(sockets, 'and no timer of the old one is left').toHaveLength(3);
  });

  it('asks for the address each time, because it carries the cursor', () => {
    newest().end(1006);
    link.hurry();
    expect(addresses).toEqual(['ws://any/0', 'ws://any/1']);
  });

  it('does not happen after stop', () => {
    link.stop();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });
});

describe('a dead link', () => {
  it('is noticed within 2 s when the network is said to be gone, unless the server answers', () => {
    newest().say({ type: 'hello', cursor: 'c' });
    link.doubt();
    expect(newest().sent).toEqual(['{"type":"ping"}']);
    newest().say({ type: 'pong' });
    vi.advanceTimersByTime(2_000);
    expect(states.at(-1)).toBe('up');
    link.doubt();
    vi.advanceTimersByTime(2_000);
    expect(states.at(-1)).toBe('down');
  });

  it('is noticed within 45 s: silence, a ping, silence', () => {
    newest().say({ type: 'hello', cursor: 'c' });
    vi.advanceTimersByTime(35_000);
    expect(newest().sent).toEqual(['{"type":"ping"}']);
    vi.advanceTimersByTime(8_000);
    expect(sockets[0]?.closed).toBe(true);
    expect(states.at(-1)).toBe('down');
    vi.advanceTimersByTime(500);
    expect(sockets).toHaveLength(2);
  });

  it('is not made by a proxy that ends what was silent for 60 s: within that time something is always said', () => {
    newest().say({ type: 'hello', cursor: 'c' });
    const said: number[] = [Date.now()];
    for (let second = 0; second < 600; second += 1) {
      const before = newest().sent.length;
      vi.advanceTimersByTime(1_000);
      if (newest().sent.length === before) continue;
      said.push(Date.now());
      newest().say({ type: 'pong' });
    }
    const gaps = said.slice(1).map((at, index) => at - (said[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.max(...gaps)).toBeLessThan(60_000);
    expect(sockets).toHaveLength(1);
  });

  it('is not one that answers', () => {
    newest().say({ type: 'hello', cursor: 'c' });
    vi.advanceTimersByTime(35_000);
    newest().say({ type: 'pong' });
    vi.advanceTimersByTime(34_000);
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toBe('up');
  });

  it('is asked for a sign when somebody looks, without being dropped', () => {
    newest().say({ type: 'hello', cursor: 'c' });
    link.hurry();
    expect(newest().sent).toEqual(['{"type":"ping"}']);
    newest().say({ type: 'pong' });
    vi.advanceTimersByTime(20_000);
    expect(sockets).toHaveLength(1);
  });
});

describe('a refusal', () => {
  it('is looked into when there was no greeting, or the server says so', async () => {
    newest().end(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(refusals).toBe(1);
    link.hurry();
    newest().say({ type: 'hello', cursor: 'c' });
    newest().end(1012);
    await vi.advanceTimersByTimeAsync(0);
    expect(refusals, 'a restart is not a refusal').toBe(1);
    link.hurry();
    newest().say({ type: 'hello', cursor: 'c' });
    newest().end(1008);
    await vi.advanceTimersByTimeAsync(0);
    expect(refusals).toBe(2);
  });

  it('is not a restart of the server (1012): that passes in half a second, before anything is said of it', async () => {
    newest().say({ type: 'hello', cursor: 'c' });
    states.length = 0;
    newest().end(1012);
    await vi.advanceTimersByTimeAsync(500);
    newest().say({ type: 'hello', cursor: 'c' });
    expect(states).toEqual(['down', 'connecting', 'up']);
    expect(refusals).toBe(0);
  });

  it('that stands ends the tries', async () => {
    goOn = false;
    newest().end(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
  });

  it('from an old connection is not heard', () => {
    const old = newest();
    old.say({ type: 'hello', cursor: 'c' });
    const listener = old.onmessage;
    old.end(1006);
    link.hurry();
    states.length = 0;
    listener?.({ data: '{"type":"hello","cursor":"c"}' });
    expect(states).toEqual([]);
  });
});
