"""The audit log: rows in a hash chain, people as pseudonyms."""
