-- When a session was used last, to within some minutes; 0: not since it was made.
ALTER TABLE sessions ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
