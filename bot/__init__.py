"""SkinDesk, the Discord bot of a support desk for Steam item trades."""
