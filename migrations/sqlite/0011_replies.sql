-- `reply_seq` is the number of the message that this one answers, in the same conversation.
ALTER TABLE messages ADD COLUMN reply_seq INTEGER;
