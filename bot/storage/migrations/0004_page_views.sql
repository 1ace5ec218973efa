-- 0004: how the reader of a pager has sorted and narrowed it.
--
-- Why it looks like this: it is only ever read whole, so it is JSON text; NULL is the answer as it was asked for.

ALTER TABLE pages ADD COLUMN view TEXT;
