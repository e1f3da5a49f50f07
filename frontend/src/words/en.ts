// English: every sentence that the client says. The other languages have the same keys, which the compiler checks.

import { counted } from './plural';

const number = counted('en');

function count(many: number, one: string, other: string): string {
  return number(many, { one, other });
}

export const en = {
  brand: 'chatd',
  title: (unread: number) => (unread > 0 ? `(${unread}) chatd` : 'chatd'),

  list: {
    label: 'Conversations',
    you: 'You: ',
    draft: 'Draft:',
    unread: (number: number) => count(number, 'unread message', 'unread messages'),
    more: 'Show more conversations',
    emptyTitle: 'Nobody here yet',
    emptyText: 'Find somebody by name and say hello. Your conversations will be kept here.',
    failedTitle: 'Your conversations could not be loaded',
    failedText: 'chatd tries again by itself.',
    moreFailed: 'More conversations could not be loaded.',
    loading: 'Loading your conversations',
    notes: 'Notes to yourself',
    archived: (many: number) => `Archived (${many})`,
  },

  search: {
    label: 'Find a person',
    placeholder: 'Find a person…',
    clear: 'Clear the search',
    start: 'New conversation',
    people: 'People',
    none: (text: string) => `Nobody’s name begins with “${text}”.`,
    nothing: (text: string) => `Nobody’s name fits “${text}”.`,
    noneHint: 'Check the spelling, or ask for the exact user name.',
    found: (number: number) => count(number, 'person found', 'people found'),
    loading: 'Looking for people',
    more: 'There are more. Type more of the name to find them.',
    failed: 'People could not be looked up.',
  },

  menu: {
    label: (name: string) => `Menu of ${name}`,
    signedInAs: 'Signed in as',
    theme: 'Appearance',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    settings: 'Settings',
    signOut: 'Sign out',
    unsent: (number: number) =>
      `${count(number, 'message has', 'messages have')} not been sent and will be lost.`,
    signOutAnyway: 'Sign out anyway',
    signOutFailed: 'Signing out did not work. Try again in a moment.',
  },

  welcome: {
    title: 'Good to see you',
    text: 'Choose a conversation, or find somebody to talk to.',
    firstTitle: 'Start your first conversation',
    firstText: 'Find somebody by name and say hello.',
    action: 'Find a person',
  },

  conversation: {
    region: (peer: string) => `Conversation with ${peer}`,
    log: (peer: string) => `Messages with ${peer}`,
    back: 'Back to conversations',
    begin: (peer: string) => `This is the beginning of your conversation with ${peer}.`,
    beginSelf: 'Notes to yourself. Only you can see them.',
    sayHello: 'Write the first message.',
    newMessages: 'New messages',
    jump: 'Jump to latest',
    jumpCount: (number: number) => `Jump to latest, ${count(number, 'new message', 'new messages')}`,
    loading: 'Loading messages',
    failed: 'These messages could not be loaded.',
    unknownTitle: (name: string) => `There is nobody called “${name}”`,
    unknownText: 'The name may be misspelled, or the account may be gone.',
    unreachableTitle: 'This conversation could not be opened',
    home: 'Back to your conversations',
    heard: (sender: string, body: string) => `${sender}: ${body}`,
    heardMany: (number: number) => count(number, 'new message', 'new messages'),
    from: (sender: string) => `${sender}:`,
    mine: 'You:',
    code: 'Code',
    gone: 'Deleted account',
    time: (time: string) => `Local time: ${time}`,
  },

  message: {
    actions: 'What to do with this message',
    menu: (time: string) => `What to do with the message of ${time}`,
    you: 'You',
    reply: 'Reply',
    copy: 'Copy the text',
    edit: 'Edit',
    remove: 'Delete',
    removeSure: 'Delete this message for both of you? This cannot be undone.',
    removeFailed: 'It could not be deleted.',
    removeYes: 'Delete it',
    cancel: 'Keep it',
    edited: 'edited',
    deleted: 'This message was deleted.',
    quoteWaits: 'An earlier message',
  },

  presence: {
    online: 'online',
    away: 'away',
    seen: (when: string) => `last seen: ${when}`,
    typing: 'is typing…',
  },

  keep: {
    menu: (peer: string) => `Options for the conversation with ${peer}`,
    pin: 'Pin to the top',
    unpin: 'Unpin',
    archive: 'Archive until the next message',
    unarchive: 'Move back to the list',
    muteHour: 'Mute for an hour',
    muteEight: 'Mute for eight hours',
    muteEver: 'Mute until I turn it on again',
    unmute: 'Unmute',
    pinned: 'Pinned',
    muted: 'Muted',
    failed: 'This could not be saved. Try again.',
  },

  status: {
    sending: 'Sending',
    stored: 'Sent',
    delivered: 'Delivered',
    read: 'Read',
    failed: 'Not sent',
  },

  failed: {
    unknownReason: 'The server did not accept this message.',
    nobody: (peer: string) => `There is nobody called “${peer}”.`,
    retry: 'Retry',
    edit: 'Edit',
    discard: 'Delete',
    actions: 'This message was not sent',
  },

  composer: {
    form: 'Write a message',
    label: (peer: string) => `Message to ${peer}`,
    placeholder: 'Write a message…',
    send: 'Send',
    save: 'Save the change',
    saveFailed: 'The change could not be saved. Your text is still here.',
    replying: 'Replying to',
    editing: 'Changing',
    stop: 'Stop',
    left: (number: number) => `${count(number, 'character', 'characters')} left`,
    over: (number: number) =>
      `${count(number, 'character', 'characters')} too long. Shorten the message to send it.`,
  },

  link: {
    down: 'No connection',
    downText: 'You can read what is kept here and go on writing. Messages are sent when it is back.',
  },

  days: { today: 'Today', yesterday: 'Yesterday' },

  switcher: {
    label: 'Name of a person',
    placeholder: 'Type a name…',
    list: 'Conversations and people',
  },

  shortcuts: {
    title: 'Keyboard shortcuts',
    switcher: 'Switch conversation',
    next: 'Next conversation',
    previous: 'Previous conversation',
    send: 'Send the message',
    newLine: 'New line',
    close: 'Close what is open',
    singleKeysOff: 'Keys without Ctrl or Alt are switched off in the settings.',
  },

  keys: { control: 'Ctrl', alt: 'Alt', shift: 'Shift', enter: 'Enter', escape: 'Esc' },

  dialog: { close: 'Close' },

  missing: {
    text: 'This part of chatd could not be loaded. Check the connection and reload the page.',
    reload: 'Reload',
  },

  alerts: { hidden: 'New message' },

  settings: {
    title: 'Settings',
    back: 'Back to the settings',
    pages: {
      account: 'Password and devices',
      profile: 'Profile',
      invites: 'Invite people',
      data: 'My data',
      blocked: 'Blocked people',
      reports: 'Reports',
    },
  },

  requests: {
    link: (many: number) => `Requests (${many})`,
    title: 'Requests',
    back: 'Back to the requests',
    text: 'You have never written to these people. They do not see whether you have read what they wrote.',
    none: 'Nobody waits to be accepted.',
    wants: (name: string) => `${name} wants to write to you.`,
    hint: 'They do not see whether you have read it. If you write back, you accept.',
    accept: 'Accept',
    notAccepted: 'This could not be saved.',
  },

  block: {
    menu: (name: string) => `Block ${name}`,
    undo: (name: string) => `Unblock ${name}`,
    title: (name: string) => `Block ${name}?`,
    undoTitle: (name: string) => `Unblock ${name}?`,
    blocked: (name: string) => `You blocked ${name}.`,
    block: 'Block',
    unblock: 'Unblock',
    notUndone: 'They are still blocked.',
  },

  report: {
    menu: 'Report…',
    title: 'Report this message',
  },

  start: {
    failedTitle: 'chatd cannot be reached',
    failedText: 'This page tries again by itself.',
    loading: 'chatd is starting',
  },

  trouble: {
    unreachable: 'The server cannot be reached. Check the connection.',
    busy: 'The server has a problem at the moment.',
    refused: 'The server does not allow it.',
    unwelcome: 'This person can’t be written to.',
    request: 'If you ask for help, quote request',
    again: 'Try again',
  },
};
