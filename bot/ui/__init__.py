"""Discord building blocks shared by the cogs."""
