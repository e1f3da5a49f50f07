-- Whether others see how far a user has read; who does not share it does not see it of others.
ALTER TABLE users ADD COLUMN share_read TINYINT NOT NULL DEFAULT 1;
