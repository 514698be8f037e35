"""Questions about players."""

import unicodedata
from typing import TYPE_CHECKING, Any

from django.db import models

from compliance.people.latin import latin

if TYPE_CHECKING:
    from compliance.people.models import Customer


def fold(text: str) -> str:
    """A key under which `IŞIK`, `ışık` and `isik` are one: I, İ, ı become i, then casefold, no marks, ß is ss."""
    dotted = text.translate(str.maketrans("Iİı", "iii")).casefold()
    plain = "".join(c for c in unicodedata.normalize("NFKD", dotted) if not unicodedata.combining(c))
    return " ".join(plain.replace("ß", "ss").split())


class CustomerQuerySet(models.QuerySet["Customer"]):
    def named_like(self, text: str) -> "CustomerQuerySet":
        """Customers whose folded name holds the folded text."""
        return self.filter(name_fold__contains=fold(text))

    def create(self, **fields: Any) -> "Customer":
        folded = fold(fields["full_name"])
        return super().create(name_fold=folded, name_latin=latin(folded), **fields)
