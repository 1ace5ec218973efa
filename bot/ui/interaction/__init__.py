"""The life of one interaction, from its acknowledgement to its end."""
