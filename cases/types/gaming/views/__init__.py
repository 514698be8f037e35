"""Pages: staff's, and the player's own."""
