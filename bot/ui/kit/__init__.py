"""Discord building blocks: they know limits and nothing of a feature."""
