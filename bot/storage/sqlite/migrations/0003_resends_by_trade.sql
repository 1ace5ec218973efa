-- 0003: the earlier requests of a trade, which the card of a new one shows.

CREATE INDEX resends_by_trade ON resends (guild_id, provider, trade_id, id);
