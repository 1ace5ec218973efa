"""Adapters to SQLite: the only code that knows how anything is kept."""
