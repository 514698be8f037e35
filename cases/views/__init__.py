"""The staff pages of the engine. A view translates; it decides nothing."""
