// Drawings of a few strokes. They are decoration: what they mean is always written beside them.

import type { ComponentChildren } from 'preact';

function Icon({ box = 24, name, children }: { box?: number; name: string; children: ComponentChildren }) {
  return (
    <svg class={`icon icon-${name}`} viewBox={`0 0 ${box} ${box}`} aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const SearchIcon = () => (
  <Icon name="search">
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </Icon>
);

export const ComposeIcon = () => (
  <Icon name="compose">
    <path d="M12 4.5H7A2.5 2.5 0 0 0 4.5 7v10A2.5 2.5 0 0 0 7 19.5h10a2.5 2.5 0 0 0 2.5-2.5v-5" />
    <path d="m10 14 .6-2.9L18.4 3.300a1.6 1.6 0 0 1 2.3 2.300L12.9 13.400z" />
  </Icon>
);

export const BackIcon = () => (
  <Icon name="back">
    <path d="m14.5 5-7 7 7 7" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon name="close">
    <path d="m7 7 10 10M17 7 7 17" />
  </Icon>
);

export const SendIcon = () => (
  <Icon name="send">
    <path d="M12 19V5.500M6 11l6-6 6 6" />
  </Icon>
);

export const SaveIcon = () => (
  <Icon name="save">
    <path d="m5 12.500 4.500 4.500L19 7.500" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon name="more">
    <path d="M6 12h.01M12 12h.01M18 12h.01" />
  </Icon>
);

export const PinIcon = () => (
  <Icon name="pin">
    <path d="M12 15v5.500M8 3.500h8l-1 6.500 2.500 3.500v1.500h-11v-1.500L9 10z" />
  </Icon>
);

export const MutedIcon = () => (
  <Icon name="muted">
    <path d="M4 9.500h3.500L12 6v12l-4.500-3.500H4zM16 10l4 4M20 10l-4 4" />
  </Icon>
);

export const DownIcon = () => (
  <Icon name="down">
    <path d="M12 5v13.500M6 13l6 6 6-6" />
  </Icon>
);

export const OfflineIcon = () => (
  <Icon name="offline">
    <path d="M4 9.500a12 12 0 0 1 4-2.400M20 9.500a12 12 0 0 0-8-3M7.2 13a7 7 0 0 1 2.8-1.700M16.8 13a7 7 0 0 0-1.3-.9M12 17.500h.01M4.5 4l15 16" />
  </Icon>
);

export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path
      class="logo-bubble"
      d="M9 4h14a7 7 0 0 1 7 7v6a7 7 0 0 1-7 7h-8l-6.2 4.600A1.1 1.1 0 0 1 7 27.700V24a6 6 0 0 1-5-6v-7a7 7 0 0 1 7-7z"
    />
    <circle class="logo-dot" cx="10.5" cy="14" r="2.2" />
    <circle class="logo-dot" cx="16.5" cy="14" r="2.2" />
    <circle class="logo-spark" cx="22.5" cy="14" r="2.2" />
  </svg>
);

export const ClockTick = () => (
  <Icon box={16} name="tick">
    <circle cx="8" cy="8" r="5.5" />
    <path d="M8 5v3.200l2 1.3" />
  </Icon>
);

export const StoredTick = () => (
  <Icon box={16} name="tick">
    <path d="m3.5 8.5 3 3 6-7" />
  </Icon>
);

export const DeliveredTick = () => (
  <svg class="icon icon-delivered" viewBox="0 0 22 16" aria-hidden="true" focusable="false">
    <path d="m2.5 8.500 3 3 6-7M10 11.500l6-7" />
  </svg>
);

export const ReadTick = () => (
  <svg class="icon icon-read" viewBox="0 0 22 16" aria-hidden="true" focusable="false">
    <circle class="disc" cx="14.5" cy="8" r="6.5" />
    <circle class="disc rim" cx="7.5" cy="8" r="6.5" />
    <path class="mark" d="m4.6 8.2 2 2.1 3.8-4.5" />
  </svg>
);

export const FailedTick = () => (
  <svg class="icon icon-failed" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <circle class="disc" cx="8" cy="8" r="7" />
    <path class="mark" d="M8 4.300v4.200M8 11.300v.2" />
  </svg>
);
