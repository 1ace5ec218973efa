"""The small web endpoint for Steam sign-in: the only part of the bot, beside the demo, that speaks HTTP to browsers."""
