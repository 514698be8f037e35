"""The state machines of the product, read from its models."""

from dataclasses import dataclass
from functools import cache

from django.apps import apps

from audit.perform import Stateful


@dataclass(frozen=True)
class Move:
    model: type
    name: str
    source: str
    target: str
    permission: object

    def __str__(self):
        return f"{self.model.__name__}.{self.name} ({self.source} -> {self.target})"


@cache
def stateful_models():
    """Every concrete model or proxy with a state, whether it has moves of its own or its proxies have them."""
    return [model for model in apps.get_models(include_auto_created=False) if issubclass(model, Stateful)]


@cache
def machines():
    """Every concrete model or proxy with moves of its own."""
    models = [model for model in stateful_models() if moves_of(model)]
    assert models, "no state machine was found: the walk is broken"
    return models


@cache
def moves_of(model):
    field = model._meta.get_field("state")
    return [
        Move(model, move.name, move.source, target, move.permission)
        for move in field.get_all_transitions(model)
        # A move that goes back to where the record was names every state that this can be.
        for target in getattr(move.target, "allowed_states", None) or [move.target]
    ]
