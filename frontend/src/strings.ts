// Every sentence that the client says, in one place. Components hold none.

const plural = new Intl.PluralRules('en');

function count(number: number, one: string, other: string): string {
  return `${number} ${plural.select(number) === 'one' ? one : other}`;
}

export const strings = {
  brand: 'chatd',
  title: (unread: number) => (unread > 0 ? `(${unread}) chatd` : 'chatd'),

  list: {
    label: 'Conversations',
    you: 'You: ',
    unread: (number: number) => count(number, 'unread message', 'unread messages'),
    more: 'Show more conversations',
    emptyTitle: 'Nobody here yet',
    emptyText: 'Find somebody by name and say hello. Your conversations will be kept here.',
    failedTitle: 'Your conversations could not be loaded',
    failedText: 'The server does not answer. chatd tries again by itself.',
    loading: 'Loading your conversations',
    notes: 'Notes to yourself',
  },

  search: {
    label: 'Find a person',
    placeholder: 'Find a person…',
    clear: 'Clear the search',
    start: 'New conversation',
    people: 'People',
    none: (text: string) => `Nobody’s name begins with “${text}”.`,
    noneHint: 'Check the spelling, or ask for the exact user name.',
    found: (number: number) => count(number, 'person found', 'people found'),
    failed: 'People could not be looked up. Check the connection and type again.',
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
    signOutFailed: 'Signing out did not work: the server does not answer. Try again in a moment.',
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
    failed: 'These messages could not be loaded: the server does not answer.',
    again: 'Try again',
    unknownTitle: (name: string) => `There is nobody called “${name}”`,
    unknownText: 'The name may be misspelled, or the account may be gone.',
    unreachableTitle: 'This conversation could not be opened',
    unreachableText: 'The server does not answer. Check the connection and try again.',
    home: 'Back to your conversations',
    heard: (sender: string, body: string) => `${sender}: ${body}`,
    heardMany: (number: number) => count(number, 'new message', 'new messages'),
    from: (sender: string) => `${sender}:`,
    mine: 'You:',
  },

  status: {
    sending: 'Sending',
    stored: 'Sent',
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
    left: (number: number) => `${count(number, 'character', 'characters')} left`,
    over: (number: number) =>
      `${count(number, 'character', 'characters')} too long. Shorten the message to send it.`,
  },

  link: {
    down: 'No connection',
    downText: 'You can go on reading and writing. Messages are sent when it is back.',
  },

  days: { today: 'Today', yesterday: 'Yesterday' },

  settings: {
    title: 'Settings',
    account: 'Account',
    appearance: 'Appearance',
    appearanceText: 'Follow the system, or choose for this device.',
  },

  login: { capsLock: 'Caps Lock is on.' },

  start: {
    failedTitle: 'chatd cannot be reached',
    failedText: 'The server does not answer. This page tries again by itself.',
  },
} as const;
