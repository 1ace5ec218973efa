-- 0002: the first server that the desk was in, which it serves if discord.guild_ids names none.

-- first_at is when that was decided; one guild at most has it.
ALTER TABLE guilds ADD COLUMN first_at INTEGER;

CREATE UNIQUE INDEX guilds_first ON guilds ((first_at IS NOT NULL)) WHERE first_at IS NOT NULL;
