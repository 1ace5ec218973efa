"""Backup and restore of a PostgreSQL database, through pg_dump and pg_restore."""
