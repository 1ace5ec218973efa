"""The web endpoint of Steam sign-in; besides the demo the only part that serves browsers."""
