"""SkinDesk's database on PostgreSQL, for more than one process. Nothing here is imported on SQLite."""
