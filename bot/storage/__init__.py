"""Adapters to SQLite."""
