// The server's rules in memory: conversations, read marks and each user's event log. The property test compares the
// client's state with it, and the mock server puts HTTP around it.

export class Model {
  constructor(users) {
    this.users = users;
    this.messages = [];
    this.conversations = new Map();
    this.logs = new Map(users.map((user) => [user, []]));
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

  send(from, to, body, clientId = null) {
    const again = clientId && this.messages.find((m) => m.user === from && m.client_id === clientId);
    if (again) return { message: again, created: false };
    const key = [from, to].sort().join('\n');
    if (!this.conversations.has(key)) {
      const id = this.conversations.size + 1;
      this.conversations.set(key, { id, people: [...new Set([from, to])], messages: [], read: {} });
    }
    const conversation = this.conversations.get(key);
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
    };
    this.messages.push(message);
    conversation.messages.push(message);
    for (const user of conversation.people) {
      const unread = user === to && from !== to ? { unread: this.unread(conversation, user) } : {};
      this.log(user, { type: 'message_created', conversation, seq: message.seq, ...unread });
    }
    return { message, created: true };
  }

  edit(conversation, seq, body) {
    const old = conversation.messages[seq - 1];
    if (!old) return;
    const message = { ...old, body, version: old.version + 1 };
    conversation.messages[seq - 1] = message;
    this.messages[message.id - 1] = message;
    for (const user of conversation.people) this.log(user, { type: 'message_edited', conversation, seq });
  }

  read(user, peer, seq) {
    const conversation = this.between(user, peer);
    if (!conversation) return null;
    const to = Math.min(seq, conversation.messages.length);
    if (to > this.readSeq(conversation, user)) {
      conversation.read[user] = to;
      for (const each of conversation.people) {
        this.log(each, { type: 'read', conversation, ...this.readState(conversation, each) });
      }
    }
    return this.readState(conversation, user);
  }

  readState(conversation, user) {
    const { id, peer, read_seq, peer_read_seq, unread } = this.summary(conversation, user);
    return { conversation: id, peer, read_seq, peer_read_seq, unread };
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
    if (type === 'read') return { type, cursor, ...rest, conversation: conversation.id };
    return { type, cursor, message: conversation.messages[seq - 1], ...rest };
  }

  log(user, entry) {
    const { conversation, ...rest } = entry;
    this.logs.get(user).push({ ...rest, conversation });
    this.onEvent(user);
  }
}
