// A finger that rests on the time of a message shows it in full, as the pointer of a mouse does. It stays until the next
// touch. A finger on the text marks that, as everywhere.

const PRESS_MS = 500;
/** A finger is never quite still. */
const SLACK_PX = 10;

let stop = () => {};

export function showTimes(log: HTMLElement): void {
  log.addEventListener('pointerdown', press);
  // What the browser itself would offer for it would lie above.
  log.addEventListener('contextmenu', (event) => {
    if (timeOf(event)?.dataset.shown !== undefined) event.preventDefault();
  });
}

function press(event: PointerEvent): void {
  for (const each of document.querySelectorAll<HTMLElement>('time[data-shown]')) delete each.dataset.shown;
  stop();
  const time = timeOf(event);
  if (!time || event.pointerType !== 'touch') return;
  const over = new AbortController();
  const timer = setTimeout(() => {
    time.dataset.shown = '';
    over.abort();
  }, PRESS_MS);
  stop = () => {
    clearTimeout(timer);
    over.abort();
  };
  const { signal } = over;
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, stop, { signal });
  const moved = (to: PointerEvent) =>
    Math.hypot(to.clientX - event.clientX, to.clientY - event.clientY) > SLACK_PX;
  addEventListener('pointermove', (to) => moved(to) && stop(), { signal });
}

/** The whole of what stands beside a message counts: the time alone is small for a finger. */
function timeOf({ target }: Event): HTMLElement | null {
  return (target as HTMLElement).closest('.meta')?.querySelector<HTMLElement>('time') ?? null;
}
