// Two bubbles over evening hills: for the places where there is nothing to read yet.

export function Hills() {
  return (
    <svg class="hills" viewBox="0 0 320 200" aria-hidden="true" focusable="false">
      <circle class="hills-sky" cx="160" cy="104" r="92" />
      <circle class="hills-sun" cx="214" cy="78" r="22" />
      <path
        class="hills-far"
        d="M72 132c28-26 50-30 78-10 24-22 58-24 96 8-14 38-46 64-86 66-40-2-74-26-88-64z"
      />
      <path
        class="hills-near"
        d="M80 152c36-20 66-12 90 2 22-14 44-14 66-4-16 28-44 45-76 46-34-1-64-18-80-44z"
      />
      <g class="hills-left">
        <path d="M44 44h74a18 18 0 0 1 18 18v18a18 18 0 0 1-18 18H72l-20 14c-2 1.5-4 0-4-2V97a18 18 0 0 1-20-17V62a18 18 0 0 1 16-18z" />
        <path class="hills-line" d="M52 66h58M52 80h36" />
      </g>
      <g class="hills-right">
        <path d="M202 108h66a17 17 0 0 1 17 17v14a17 17 0 0 1-14 16.7V170c0 2-2 3-4 2l-20-16h-45a17 17 0 0 1-17-17v-14a17 17 0 0 1 17-17z" />
        <circle cx="216" cy="132" r="5" />
        <circle cx="235" cy="132" r="5" />
        <circle class="hills-spark" cx="254" cy="132" r="5" />
      </g>
    </svg>
  );
}
