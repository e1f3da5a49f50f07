// Deutsch.

import type { Words } from '.';
import { counted } from './plural';

const number = counted('de');

function count(many: number, one: string, other: string): string {
  return number(many, { one, other });
}

export const de: Words = {
  brand: 'chatd',
  title: (unread) => (unread > 0 ? `(${unread}) chatd` : 'chatd'),

  list: {
    label: 'Unterhaltungen',
    you: 'Du: ',
    draft: 'Entwurf:',
    unread: (many) => count(many, 'ungelesene Nachricht', 'ungelesene Nachrichten'),
    more: 'Weitere Unterhaltungen zeigen',
    emptyTitle: 'Noch niemand hier',
    emptyText: 'Suche jemanden beim Namen und sag hallo. Deine Unterhaltungen bleiben hier.',
    failedTitle: 'Deine Unterhaltungen konnten nicht geladen werden',
    failedText: 'chatd versucht es von selbst wieder.',
    moreFailed: 'Weitere Unterhaltungen konnten nicht geladen werden.',
    loading: 'Deine Unterhaltungen werden geladen',
    notes: 'Notizen an dich selbst',
    archived: (many) => `Archiviert (${many})`,
  },

  search: {
    label: 'Jemanden finden',
    placeholder: 'Jemanden finden …',
    clear: 'Suche leeren',
    start: 'Neue Unterhaltung',
    people: 'Personen',
    none: (text) => `Kein Name beginnt mit „${text}“.`,
    nothing: (text) => `Kein Name passt zu „${text}“.`,
    noneHint: 'Prüfe die Schreibweise, oder frag nach dem genauen Benutzernamen.',
    found: (many) => count(many, 'Person gefunden', 'Personen gefunden'),
    loading: 'Personen werden gesucht',
    more: 'Es gibt noch mehr. Gib mehr von dem Namen ein, um sie zu finden.',
    failed: 'Die Suche ist gescheitert.',
  },

  menu: {
    label: (name) => `Menü von ${name}`,
    signedInAs: 'Angemeldet als',
    theme: 'Darstellung',
    themes: { system: 'System', light: 'Hell', dark: 'Dunkel' },
    settings: 'Einstellungen',
    signOut: 'Abmelden',
    unsent: (many) =>
      count(
        many,
        'Nachricht wurde noch nicht gesendet und geht verloren.',
        'Nachrichten wurden noch nicht gesendet und gehen verloren.',
      ),
    signOutAnyway: 'Trotzdem abmelden',
    signOutFailed: 'Das Abmelden ist gescheitert. Versuche es gleich noch einmal.',
  },

  welcome: {
    title: 'Schön, dass du da bist',
    text: 'Wähle eine Unterhaltung, oder suche jemanden zum Reden.',
    firstTitle: 'Beginne deine erste Unterhaltung',
    firstText: 'Suche jemanden beim Namen und sag hallo.',
    action: 'Jemanden finden',
  },

  conversation: {
    region: (peer) => `Unterhaltung mit ${peer}`,
    log: (peer) => `Nachrichten mit ${peer}`,
    back: 'Zurück zu den Unterhaltungen',
    begin: (peer) => `Hier beginnt deine Unterhaltung mit ${peer}.`,
    beginSelf: 'Notizen an dich selbst. Nur du kannst sie sehen.',
    sayHello: 'Schreibe die erste Nachricht.',
    newMessages: 'Neue Nachrichten',
    jump: 'Zur neuesten springen',
    jumpCount: (many) => `Zur neuesten springen, ${count(many, 'neue Nachricht', 'neue Nachrichten')}`,
    loading: 'Nachrichten werden geladen',
    failed: 'Diese Nachrichten konnten nicht geladen werden.',
    unknownTitle: (name) => `Niemand heißt „${name}“`,
    unknownText: 'Vielleicht ist der Name falsch geschrieben, oder es gibt das Konto nicht mehr.',
    unreachableTitle: 'Diese Unterhaltung konnte nicht geöffnet werden',
    home: 'Zurück zu deinen Unterhaltungen',
    heard: (sender, body) => `${sender}: ${body}`,
    heardMany: (many) => count(many, 'neue Nachricht', 'neue Nachrichten'),
    from: (sender) => `${sender}:`,
    mine: 'Du:',
    code: 'Code',
    gone: 'Gelöschtes Konto',
    time: (time: string) => `Ortszeit: ${time}`,
  },

  message: {
    actions: 'Was mit dieser Nachricht geschehen soll',
    menu: (time) => `Was mit der Nachricht von ${time} geschehen soll`,
    you: 'Du',
    reply: 'Antworten',
    copy: 'Text kopieren',
    edit: 'Bearbeiten',
    remove: 'Löschen',
    removeSure: 'Diese Nachricht für euch beide löschen? Das lässt sich nicht rückgängig machen.',
    removeFailed: 'Sie konnte nicht gelöscht werden.',
    removeYes: 'Löschen',
    cancel: 'Behalten',
    edited: 'bearbeitet',
    deleted: 'Diese Nachricht wurde gelöscht.',
    quoteWaits: 'Eine frühere Nachricht',
  },

  presence: {
    online: 'online',
    away: 'abwesend',
    seen: (when) => `zuletzt hier: ${when}`,
    typing: 'schreibt …',
  },

  keep: {
    menu: (peer) => `Optionen der Unterhaltung mit ${peer}`,
    pin: 'Oben anheften',
    unpin: 'Nicht mehr anheften',
    archive: 'Bis zur nächsten Nachricht archivieren',
    unarchive: 'Zurück in die Liste',
    muteHour: 'Eine Stunde stumm',
    muteEight: 'Acht Stunden stumm',
    muteEver: 'Stumm, bis ich es ändere',
    unmute: 'Nicht mehr stumm',
    pinned: 'Angeheftet',
    muted: 'Stumm',
    failed: 'Das konnte nicht gespeichert werden. Versuche es noch einmal.',
  },

  status: {
    sending: 'Wird gesendet',
    stored: 'Gesendet',
    delivered: 'Zugestellt',
    read: 'Gelesen',
    failed: 'Nicht gesendet',
  },

  failed: {
    unknownReason: 'Der Server hat diese Nachricht nicht angenommen.',
    nobody: (peer) => `Niemand heißt „${peer}“.`,
    retry: 'Noch einmal',
    edit: 'Bearbeiten',
    discard: 'Löschen',
    actions: 'Diese Nachricht wurde nicht gesendet',
  },

  composer: {
    form: 'Eine Nachricht schreiben',
    label: (peer) => `Nachricht an ${peer}`,
    placeholder: 'Nachricht schreiben …',
    send: 'Senden',
    save: 'Änderung speichern',
    saveFailed: 'Die Änderung konnte nicht gespeichert werden. Dein Text ist noch da.',
    replying: 'Antwort auf',
    editing: 'Geändert wird',
    stop: 'Abbrechen',
    left: (many) => `Noch ${count(many, 'Zeichen', 'Zeichen')}`,
    over: (many) => `${count(many, 'Zeichen', 'Zeichen')} zu lang. Kürze die Nachricht, um sie zu senden.`,
  },

  link: {
    down: 'Keine Verbindung',
    downText:
      'Du kannst lesen, was hier liegt, und weiter schreiben. Gesendet wird, sobald sie wieder da ist.',
  },

  days: { today: 'Heute', yesterday: 'Gestern' },

  switcher: {
    label: 'Name einer Person',
    placeholder: 'Name eingeben …',
    list: 'Unterhaltungen und Personen',
  },

  shortcuts: {
    title: 'Tastenkürzel',
    switcher: 'Unterhaltung wechseln',
    next: 'Nächste Unterhaltung',
    previous: 'Vorige Unterhaltung',
    send: 'Nachricht senden',
    newLine: 'Neue Zeile',
    close: 'Schließen, was offen ist',
    singleKeysOff: 'Tasten ohne Strg oder Alt sind in den Einstellungen abgeschaltet.',
  },

  keys: { control: 'Strg', alt: 'Alt', shift: 'Umschalt', enter: 'Eingabe', escape: 'Esc' },

  dialog: { close: 'Schließen' },

  missing: {
    text: 'Dieser Teil von chatd konnte nicht geladen werden. Prüfe die Verbindung und lade die Seite neu.',
    reload: 'Neu laden',
  },

  alerts: { hidden: 'Neue Nachricht' },

  settings: {
    title: 'Einstellungen',
    back: 'Zurück zu den Einstellungen',
    pages: {
      account: 'Passwort und Geräte',
      profile: 'Profil',
      invites: 'Leute einladen',
      data: 'Meine Daten',
      blocked: 'Blockierte Personen',
      reports: 'Meldungen',
    },
  },

  requests: {
    link: (many) => `Anfragen (${many})`,
    title: 'Anfragen',
    back: 'Zurück zu den Anfragen',
    text: 'Diesen Leuten hast du nie geschrieben. Sie sehen nicht, ob du gelesen hast, was sie schreiben.',
    none: 'Niemand wartet auf deine Antwort.',
    wants: (name) => `${name} möchte dir schreiben.`,
    hint: 'Ob du es gelesen hast, ist nicht zu sehen. Wenn du antwortest, nimmst du an.',
    accept: 'Annehmen',
    notAccepted: 'Das konnte nicht gespeichert werden.',
  },

  block: {
    menu: (name) => `${name} blockieren`,
    undo: (name) => `${name} nicht mehr blockieren`,
    title: (name) => `${name} blockieren?`,
    undoTitle: (name) => `${name} nicht mehr blockieren?`,
    blocked: (name) => `Du hast ${name} blockiert.`,
    block: 'Blockieren',
    unblock: 'Freigeben',
    notUndone: 'Das Freigeben hat nicht geklappt.',
  },

  report: {
    menu: 'Melden …',
    title: 'Diese Nachricht melden',
  },

  start: {
    failedTitle: 'chatd ist nicht erreichbar',
    failedText: 'Diese Seite versucht es von selbst wieder.',
    loading: 'chatd startet',
  },

  trouble: {
    unreachable: 'Der Server ist nicht erreichbar. Prüfe die Verbindung.',
    busy: 'Der Server hat im Augenblick ein Problem.',
    refused: 'Der Server lässt das nicht zu.',
    unwelcome: 'Dieser Person kann man nicht schreiben.',
    request: 'Wenn du um Hilfe bittest, nenne die Anfrage',
    again: 'Noch einmal versuchen',
  },
};
