"""Backup, restore and inspection of the database file."""
