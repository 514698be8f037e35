"""What auditors ask for: a player's file as of any day, populations, delays. Derived from the log and the rows."""
