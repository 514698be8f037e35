"""What the platform is told: events, the endpoints that get them, and what became of each delivery. See README.md."""
