// After an upgrade of the server a page that is still open may want a part of itself that is not there any more. Then it
// is loaded anew, once: nothing is lost with it, since what was written is kept. A part that is missing from the new page
// too, or for want of a network, is no reason.

export interface MissingOptions {
  /** Names the build: the address of its main script. */
  readonly build: string;
  readonly storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;
  readonly isServerThere: () => Promise<boolean>;
  readonly reload: () => void;
}

const KEY = 'chatd:reloaded';

/** Answers whether the page is loaded anew. */
export async function onMissingPart(options: MissingOptions): Promise<boolean> {
  const { build, storage, isServerThere, reload } = options;
  try {
    if (!storage || storage.getItem(KEY) === build) return false;
    if (!(await isServerThere())) return false;
    storage.setItem(KEY, build);
  } catch {
    return false;
  }
  reload();
  return true;
}
