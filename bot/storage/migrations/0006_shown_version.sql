-- 0006: what of a request its card really shows.
--
-- Why it looks like this: Discord may refuse an edit, or lose it. Facts that no card is known to have shown are not
-- approved; NULL, as for cards of before, is not known either.

ALTER TABLE resends ADD COLUMN shown_version INTEGER;
