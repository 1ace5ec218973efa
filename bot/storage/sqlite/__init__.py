"""SkinDesk's database as one SQLite file, for one process."""
