"""What the log says of tags, and their names."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from audit.names import register as register_names
from audit.registry import Action, Kept, register
from cases.tags.models import Tag

PUBLIC = Kept.PUBLIC

register(
    Action("tags.make", _("{actor} added a tag to the list: {tag}"), {"tag": PUBLIC, "licensee": PUBLIC}),
    Action("tags.retire", _("{actor} retired a tag: {tag}"), {"tag": PUBLIC}),
    Action("tags.offer", _("{actor} offers a tag again: {tag}"), {"tag": PUBLIC}),
    Action("tags.put", _("{actor} tagged the case: {tag}"), {"tag": PUBLIC, "batch": PUBLIC}),
    Action("tags.take_off", _("{actor} took a tag off: {tag}"), {"tag": PUBLIC, "batch": PUBLIC}),
)


def names_of_tags(ids: Iterable[str]) -> dict[str, str]:
    keys = []
    for text in ids:
        with suppress(ValueError):
            keys.append(UUID(text))
    return {str(pk): name for pk, name in Tag.objects.filter(pk__in=keys).values_list("pk", "name")}


register_names("tag", names_of_tags)
