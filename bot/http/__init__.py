"""What the sign-in page and the metrics have in common: an HTTP server that no client can occupy."""
