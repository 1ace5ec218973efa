-- 0007: a desk can move to PostgreSQL, where it can have more than one process; and an outcome is told once.

-- Which database has everything since this one was copied there; a start on this one is refused. A copy of this file has
-- it too, so that it is not used by mistake either.
ALTER TABLE desk ADD COLUMN moved_to TEXT;

-- worker is the process that posts the first card of a request, approves and sends it, or tells its end; NULL: none does.
-- Of an unknown one it is the process that sent it. telling_at is when it began to tell the end.
ALTER TABLE resends ADD COLUMN worker TEXT;
ALTER TABLE resends ADD COLUMN telling_at INTEGER;

-- Before this version a start told again each end that was not known to be told.
UPDATE resends SET telling_at = settled_at
WHERE finalised_at IS NULL AND state IN ('sent', 'failed', 'denied', 'expired', 'cancelled');

-- The cards that do not show their request as it is.
CREATE INDEX resends_cards_behind ON resends (id)
WHERE message_id IS NOT NULL AND shown_version IS NOT version;
