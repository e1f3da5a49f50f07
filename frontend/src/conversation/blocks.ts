// Whom one blocks: asked for once, kept on this device, and asked for anew when the server says that it is another list.

import { batch, effect } from '@preact/signals';
import type { Api } from '../api/client';
import { type Failure, failureOf, waitAfter } from '../api/failure';
import type { Block } from '../api/types';
import { delay } from '../socket/backoff';
import { learnFace } from './faces';
import { readMeanwhile } from './meanwhile';
import type { State } from './state';

/** Nothing waits for it. */
const RETRY_MS = 5_000;

export function createBlocks(state: State, api: Api, random: () => number = Math.random) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<Failure | null> | null = null;
  let attempt = 0;

  const stop = effect(() => {
    const old = state.blocksKnown.value < state.blocksTold.value;
    if (old && state.link.value === 'up') void load();
  });

  /** Null when it is known, or why not; then it is asked for again by itself. */
  function load(): Promise<Failure | null> {
    running ??= attemptLoad();
    return running;
  }

  async function attemptLoad(): Promise<Failure | null> {
    clearTimeout(timer);
    const told = state.blocksTold.peek();
    const failure = await ask(told);
    running = null;
    if (failure === null) attempt = 0;
    // Without a link it is asked for when that is back.
    const again = failure ? state.link.peek() === 'up' : state.blocksTold.peek() > told;
    if (again && !state.signedOut.peek()) {
      const wait = failure ? delay(attempt, random, Math.max(RETRY_MS, waitAfter(failure))) : 0;
      timer = setTimeout(() => void load(), wait);
      attempt += 1;
    }
    return failure;
  }

  async function ask(told: number): Promise<Failure | null> {
    try {
      const { results } = await api.blocks();
      learnBlocks(state, results, told);
      return null;
    } catch (error) {
      const failure = heard(error);
      // A server that knows of no blocks: there are none.
      if (failure.kind === 'refused') learnBlocks(state, [], told);
      return failure.kind === 'refused' ? null : failure;
    }
  }

  /** Changes the list as `put` says once the server has; unless the list was had anew since, which knows better. */
  async function change<T>(
    ask: () => Promise<T>,
    put: (answer: T, list: Map<string, Block>) => Map<string, Block>,
  ): Promise<Failure | null> {
    try {
      await readMeanwhile(state, ask, (answer, told) => {
        const isOld = state.blocksKnown.peek() < state.blocksTold.peek();
        if (!isOld && told.some((event) => event.type === 'blocks')) return;
        state.blocked.value = put(answer, new Map(state.blocked.peek()));
      });
      return null;
    } catch (error) {
      return heard(error);
    }
  }

  const block = (name: string) =>
    change(
      () => api.block(name),
      (made, list) => new Map([[name, made], ...list]),
    );

  const unblock = (name: string) =>
    change(
      () =>
        api.unblock(name).catch((error: unknown) => {
          const failure = failureOf(error);
          // Another device was faster.
          if (failure.kind !== 'refused' || failure.status !== 404) throw error;
        }),
      (_, list) => {
        list.delete(name);
        return list;
      },
    );

  function heard(error: unknown): Failure {
    const failure = failureOf(error);
    if (failure.kind === 'signed-out') state.signedOut.value = true;
    return failure;
  }

  return {
    block,
    unblock,
    load,
    stop: () => {
      stop();
      clearTimeout(timer);
    },
  };
}

/** The whole list, as of what the server had told by then. */
export function learnBlocks(
  state: State,
  blocks: readonly Block[],
  told: number = state.blocksTold.peek(),
): void {
  batch(() => {
    state.blocked.value = new Map(blocks.map((each) => [each.user, each]));
    state.blocksKnown.value = told;
    for (const { user, display_name, avatar = null } of blocks)
      if (display_name !== undefined) learnFace(state, user, { display_name, avatar });
  });
}

/** What may be kept with the cursor: nothing that is known to be old. */
export function knownBlocks(state: State): readonly Block[] | undefined {
  const old = state.blocksKnown.peek() < state.blocksTold.peek();
  const blocked = state.blocked.peek();
  return old || blocked === null ? undefined : [...blocked.values()];
}
