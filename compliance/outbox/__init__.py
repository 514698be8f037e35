"""What must follow an act: `register` who delivers a kind of row here; `post` and `wake` are in services.py."""

from compliance.outbox.kinds import register

__all__ = ["register"]
