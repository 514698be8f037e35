"""What the operator's platform reads of players and their matters, beside what it does (cases.api)."""
