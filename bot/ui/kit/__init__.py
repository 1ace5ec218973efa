"""Text, embeds and CSV files for Discord; no feature belongs here."""
