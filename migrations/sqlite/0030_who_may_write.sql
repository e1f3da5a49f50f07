-- Who may begin to write to a user (0 everyone, 1 strangers by request, 2 whom the user has written to, 3 nobody new), and
-- how many people the user blocks: whoever blocks nobody costs a send nothing.
ALTER TABLE users ADD COLUMN who_may_write INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN blocks INTEGER NOT NULL DEFAULT 0;
