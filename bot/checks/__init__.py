"""The checks of ``skindesk check`` and their findings."""
