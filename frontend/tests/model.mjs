// The server's rules in memory: conversations, read marks and each user's event log. The property test compares the
// client's state with it, and the mock server puts HTTP around it.

export class Model {
  constructor(users) {
    this.users = users;
    this.messages = [];
    this.conversations = new Map();
    this.logs = new Map(users.map((user) => [user, []]));
    /** Whose strangers wait to be accepted. */
    this.guarded = new Set();
    this.onEvent = () => {};
    this.epoch = 1;
    this.lastTime = 0;
  }

  find(name) {
    const key = name.trim().normalize('NFKC').toLowerCase();
    return this.users.find((user) => user.toLowerCase() === key);
  }

  between(a, b) {
    return this.conversations.get([a, b].sort().join('\n'));
  }

  send(from, to, body, clientId = null, replyTo = null) {
    const again = clientId && this.messages.find((m) => m.user === from && m.client_id === clientId);
    if (again) return { message: again, created: false };
    const key = [from, to].sort().join('\n');
    if (!this.conversations.has(key)) {
      const id = this.conversations.size + 1;
      const people = [...new Set([from, to])];
      const request = from !== to && this.guarded.has(to) ? to : null;
      this.conversations.set(key, { id, people, messages: [], read: {}, delivered: {}, kept: {}, request });
    }
    const conversation = this.conversations.get(key);
    if (conversation.request === from) conversation.request = null;
    this.lastTime = Math.max(this.lastTime + 1, Date.now());
    const message = {
      id: this.messages.length + 1,
      user: from,
      recipient: to,
      timestamp: new Date(this.lastTime).toISOString().replace('Z', '000Z'),
      body,
      seq: conversation.messages.length + 1,
      conversation: conversation.id,
      client_id: clientId,
      version: 1,
      edited_at: null,
      deleted_at: null,
      reply_to: replyTo,
    };
    this.messages.push(message);
    conversation.messages.push(message);
    for (const user of conversation.people) {
      const request = conversation.request === user;
      const told = user === to && from !== to ? { unread: this.unread(conversation, user), request } : {};
      this.log(user, { type: 'message_created', conversation, seq: message.seq, ...told });
    }
    return { message, created: true };
  }

  edit(conversation, seq, body) {
    const edited_at = new Date().toISOString();
    this.change(conversation, seq, 'message_edited', { body, edited_at });
  }

  remove(conversation, seq) {
    const deleted_at = new Date().toISOString();
    this.change(conversation, seq, 'message_deleted', { body: '', deleted_at });
  }

  change(conversation, seq, type, what) {
    const old = conversation.messages[seq - 1];
    if (!old || old.deleted_at !== null) return;
    const message = { ...old, ...what, version: old.version + 1 };
    conversation.messages[seq - 1] = message;
    this.messages[message.id - 1] = message;
    for (const user of conversation.people) this.log(user, { type, conversation, seq });
  }

  guard(user, on) {
    if (on) this.guarded.add(user);
    else this.guarded.delete(user);
  }

  accept(user, peer) {
    const conversation = this.between(user, peer);
    if (conversation?.request !== user) return;
    conversation.request = null;
    this.log(user, { type: 'conversation', conversation });
  }

  arrange(user, peer, { archived, ...change }) {
    const conversation = this.between(user, peer);
    if (!conversation) return null;
    const aside = archived === undefined ? {} : { archivedAt: archived ? conversation.messages.length : 0 };
    conversation.kept[user] = { ...conversation.kept[user], ...change, ...aside };
    this.log(user, { type: 'conversation', conversation });
    return this.kept(conversation, user);
  }

  kept(conversation, user) {
    const { muted_until = null, pinned = false, archivedAt = 0 } = conversation.kept[user] ?? {};
    const request = conversation.request === user;
    return { muted_until, pinned, archived: archivedAt >= conversation.messages.length, request };
  }

  settings(conversation, user) {
    const { id, peer } = this.summary(conversation, user);
    return { conversation: id, peer, ...this.kept(conversation, user) };
  }

  delivered(user, peer, seq) {
    const conversation = this.between(user, peer);
    if (!conversation) return null;
    const to = Math.min(seq, conversation.messages.length);
    if (user !== peer && to > this.deliveredSeq(conversation, user)) {
      conversation.delivered[user] = to;
      this.log(peer, { type: 'read', conversation });
    }
    return this.readState(conversation, user);
  }

  deliveredSeq(conversation, user) {
    return Math.max(conversation.delivered[user] ?? 0, this.readSeq(conversation, user));
  }

  read(user, peer, seq) {
    const conversation = this.between(user, peer);
    if (!conversation) return null;
    const to = Math.min(seq, conversation.messages.length);
    if (to > this.readSeq(conversation, user)) {
      conversation.read[user] = to;
      for (const each of conversation.people) {
        this.log(each, { type: 'read', conversation });
      }
    }
    return this.readState(conversation, user);
  }

  readState(conversation, user) {
    const { id, peer, read_seq, peer_read_seq, unread, peer_delivered_seq } = this.summary(
      conversation,
      user,
    );
    return { conversation: id, peer, read_seq, peer_read_seq, unread, peer_delivered_seq };
  }

  readSeq(conversation, user) {
    return conversation.people.length === 1 ? conversation.messages.length : (conversation.read[user] ?? 0);
  }

  unread(conversation, user) {
    const from = this.readSeq(conversation, user);
    return conversation.messages.filter((m) => m.seq > from && m.user !== user).length;
  }

  summary(conversation, user) {
    const peer = conversation.people.find((each) => each !== user) ?? user;
    return {
      id: conversation.id,
      peer,
      last_message: conversation.messages.at(-1) ?? null,
      last_seq: conversation.messages.length,
      read_seq: this.readSeq(conversation, user),
      peer_read_seq: this.readSeq(conversation, peer),
      unread: this.unread(conversation, user),
      peer_delivered_seq: this.deliveredSeq(conversation, peer),
      ...this.kept(conversation, user),
    };
  }

  list(user) {
    const mine = [...this.conversations.values()].filter((each) => each.people.includes(user));
    const order = (a, b) => (a.last_message.timestamp < b.last_message.timestamp ? 1 : -1);
    return mine.map((each) => this.summary(each, user)).sort(order);
  }

  cursor(user, pos = this.logs.get(user).length) {
    return `e${this.epoch}.${pos}`;
  }

  position(user, cursor) {
    const parts = /^e(\d+)\.(\d+)$/.exec(cursor);
    if (!parts) return null;
    const pos = Number(parts[2]);
    return Number(parts[1]) === this.epoch && pos <= this.logs.get(user).length ? pos : -1;
  }

  events(user, after, limit = Number.POSITIVE_INFINITY) {
    return this.logs
      .get(user)
      .slice(after, after + limit)
      .map((entry, index) => this.shown(user, entry, after + index + 1));
  }

  shown(user, entry, pos) {
    const { conversation, seq, type, ...rest } = entry;
    const cursor = this.cursor(user, pos);
    if (type === 'read') return { type, cursor, ...this.readState(conversation, user) };
    if (type === 'conversation') return { type, cursor, ...this.settings(conversation, user) };
    if (type === 'settings') return { type, cursor, ...rest };
    return { type, cursor, message: conversation.messages[seq - 1], ...rest };
  }

  log(user, entry) {
    const { conversation, ...rest } = entry;
    this.logs.get(user).push({ ...rest, conversation });
    this.onEvent(user);
  }
}
