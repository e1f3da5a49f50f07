-- Whether others see that a user types, and that the user is here; who does not share it does not see it of others.
ALTER TABLE users ADD COLUMN share_typing INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN share_presence INTEGER NOT NULL DEFAULT 1;
