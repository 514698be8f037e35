"""How long records are kept, what holds them, and how a customer's data ends."""
