-- 1 while a stranger's conversation waits until the user accepts it, or writes back.
ALTER TABLE user_conversations ADD COLUMN request INTEGER NOT NULL DEFAULT 0;
