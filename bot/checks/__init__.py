"""What `skindesk check` looks at, and what it says about it."""
