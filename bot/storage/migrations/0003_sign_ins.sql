-- 0003: signing in through Steam, and the wait after an account changed hands.
--
-- Why it looks like this: an address that was handed out is recognised by the SHA-256 of its token, so that the file
-- holds nothing anybody could sign in with. Nonces of Steam's answers are kept while they could come again.

ALTER TABLE links ADD COLUMN resends_from INTEGER;

-- Links that are no more, for as long as they make a new one wait; resends_from is what they had.
CREATE TABLE ended_links (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    steam_id INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    resends_from INTEGER,
    PRIMARY KEY (guild_id, user_id, steam_id)
) STRICT;

CREATE INDEX ended_links_by_account ON ended_links (guild_id, steam_id);

CREATE INDEX ended_links_by_age ON ended_links (ended_at);

CREATE TABLE sign_ins (
    digest TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (guild_id, user_id)
) STRICT;

CREATE TABLE sign_in_nonces (
    nonce TEXT NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_in_nonces_by_age ON sign_in_nonces (seen_at);
