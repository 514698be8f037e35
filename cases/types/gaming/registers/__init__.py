"""National registers of excluded players: asked, answered, remembered for a bounded time, closed in doubt."""
