"""What pages of the engine ask about texts."""

from django.template import Library

from cases import texts

register = Library()


@register.simple_tag
def player_text(code: str, language: str) -> str:
    """What the player reads for a reason, with long values in the places that the case fills."""
    return texts.player_text(code, language, version=None, **texts.VARIABLES)
