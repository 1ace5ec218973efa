"""Discord commands: presentation only."""
