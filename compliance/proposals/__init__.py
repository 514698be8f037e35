"""Four eyes: `register(Act(...))` here; `propose` and `confirm` are in services.py, the questions in queries.py."""

from compliance.proposals.acts import Act, register

__all__ = ["Act", "register"]
