-- 0007: a desk can move to PostgreSQL, where it can have more than one process.

-- Which database has everything since this one was copied there; a start on this one is refused. A copy of this file has
-- it too, so that it is not used by mistake either.
ALTER TABLE desk ADD COLUMN moved_to TEXT;
