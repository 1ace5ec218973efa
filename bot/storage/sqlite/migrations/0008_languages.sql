-- 0008: people read their own language.

-- The language of cards, audit posts and reminders; NULL: the server's own, which Discord knows.
ALTER TABLE guilds ADD COLUMN language TEXT;

-- The requester's language, and that of the member who is told about a trade, for direct messages; NULL: from before.
ALTER TABLE resends ADD COLUMN language TEXT;
ALTER TABLE watches ADD COLUMN language TEXT;
