// What stands in for content that is not here yet, in its shape. The style shows it after 300 ms only.

const BUBBLES = ['theirs w3', 'theirs w5', 'mine w4', 'theirs w2', 'mine w5', 'mine w3', 'theirs w4'];
const LINES = [0, 1, 2, 3, 4, 5];

export function LogSkeleton({ label }: { label: string }) {
  return (
    <div class="log skeleton" role="status">
      <span class="sr-only">{label}</span>
      <div class="rows" aria-hidden="true">
        {BUBBLES.map((shape) => (
          <span key={shape} class={`ghost-bubble ${shape}`} />
        ))}
      </div>
    </div>
  );
}

export function ListSkeleton({ label }: { label: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="sr-only">{label}</span>
      {LINES.map((line) => (
        <div key={line} class="entry" aria-hidden="true">
          <span class="avatar avatar-m ghost" />
          <span class="entry-text">
            <span class="ghost-line w3" />
            <span class="ghost-line w5" />
          </span>
        </div>
      ))}
    </div>
  );
}
