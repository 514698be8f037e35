"""Rules for passwords (NIST SP 800-63B-4, 3.1.1): length, a list of what is expected, nothing about kinds of signs."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.policy.staff import staff_rules

# Words that anybody would try here first. A password made of nothing but these, digits and signs is refused.
EXPECTED = frozenset(
    word
    for line in (
        "mizan compliance casino betting bahis player players password parola sifre şifre welcome hosgeldin admin",
        "administrator letmein iloveyou changeme secret qwerty qwertz asdfgh zxcvbn qazwsx monkey dragon football",
        "galatasaray fenerbahce besiktas trabzonspor istanbul ankara izmir turkiye türkiye london summer winter spring",
        "autumn yaz kis bahar",
    )
    for word in line.split()
)
RUNS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
LONGEST = 1024


class LengthValidator:
    """As many characters as the rules for staff ask for today."""

    def validate(self, password: str, user: Any = None) -> None:
        least = self._least()
        if len(password) < least:
            raise ValidationError(
                _("Use at least %(least)d characters. Several words are easy to remember.") % {"least": least}
            )
        if len(password) > LONGEST:
            raise ValidationError(_("Use at most %(most)d characters.") % {"most": LONGEST})

    def get_help_text(self) -> str:
        return _("At least %(least)d characters. Several words are easier to remember than signs.") % {
            "least": self._least()
        }

    def _least(self) -> int:
        return staff_rules(on=timezone.localdate()).password.least_characters


class ExpectedValidator:
    """Refuses what is long and guessed all the same: one thing repeated, runs of keys, only expected words."""

    def validate(self, password: str, user: Any = None) -> None:
        folded = password.casefold()
        letters = "".join(c for c in folded if c.isalnum())
        if _repeats(folded) or _repeats(letters) or _is_run(letters) or _only_expected(folded):
            raise ValidationError(
                _("This password is easy to guess. Choose several words that have nothing to do with work.")
            )

    def get_help_text(self) -> str:
        return ""


def _repeats(text: str) -> bool:
    """Made of a part of up to a third of its length again and again, such as abcabcabcabc."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, max(1, len(text) // 3) + 1))


def _is_run(text: str) -> bool:
    """Three quarters of its neighbours are neighbours on the keyboard, in the alphabet or among the digits."""
    pairs = [text[place : place + 2] for place in range(len(text) - 1)]
    near = sum(1 for pair in pairs if any(pair in run or pair[::-1] in run for run in RUNS))
    return bool(pairs) and near >= 0.75 * len(pairs)


def _only_expected(text: str) -> bool:
    """Nothing is left but a few letters when the expected words are taken out."""
    for word in sorted(EXPECTED, key=len, reverse=True):
        text = text.replace(word, " ")
    return sum(c.isalpha() for c in text) < 4
