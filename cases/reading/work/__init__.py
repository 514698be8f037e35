"""What was done about a player: contacts, and decisions that wait for a second person."""
