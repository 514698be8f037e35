"""Interface texts: from the sources into locale/*/LC_MESSAGES/django.po, without GNU gettext (Babel does the work).

    python -m compliance.translation update     collect every text and bring the catalogs up to date
    python -m compliance.translation check      exit 1 when a text or a plural form is missing, and say which
    python -m compliance.translation compile    write the .mo files (`dev.py` does it too)

Texts in the source are English. English has a catalog all the same: it holds our words for sentences of the libraries
we use, which a person would find curt or wrong (LIBRARY_TEXTS). Texts to players are not here but in texts/.
"""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT: Final = Path(__file__).resolve().parent.parent
LOCALE: Final = ROOT / "locale"
# Every language here must be complete. Others fall back to English, text by text, until somebody translates them.
COMPLETE: Final = ("tr",)
SOURCES: Final = [
    ("tests/**", "ignore"),
    ("bench/**", "ignore"),
    ("**/management/**", "ignore"),  # commands speak English to those who run the system
    ("**/migrations/**", "ignore"),
    ("templates/**.html", "compliance.translation:extract_template"),
    ("templates/**.txt", "compliance.translation:extract_template"),
    ("**.py", "python"),
]
KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

# Sentences of Django and allauth that staff meet: named here, so that our catalogs carry our words for them.
LIBRARY_TEXTS: Final = (
    "This field is required.",
    "Enter a valid email address.",
    "Enter a valid value.",
    "Enter a valid date.",
    "Enter a whole number.",
    "Select a valid choice. %(value)s is not one of the available choices.",
    "Select a valid choice. That choice is not one of the available choices.",
    "No file was submitted. Check the encoding type on the form.",
    "The submitted file is empty.",
    "Email",
    "Password",
    "Current Password",
    "New Password",
    "New Password (again)",
    "Code",
    "Authenticator code",
    "The email address and/or password you specified are not correct.",
    "Too many failed login attempts. Try again later.",
    "This account is currently inactive.",
    "Incorrect code.",
    "Incorrect password.",
    "Please type your current password.",
    "You must type the same password each time.",
    "Be patient, you are sending too many requests.",
    "Use your password",
    "Use authenticator app or code",
    "You have signed out.",
    "Password successfully changed.",
    "Successfully signed in as %(name)s.",
)


def extract_template(file: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """A Django template for Babel: Django's `templatize` turns its tags into calls that Python's extractor reads."""
    calls = templatize(file.read().decode("utf-8"))
    source = "\n".join(line.lstrip() for line in calls.splitlines())  # HTML is not indented as Python is
    yield from extract_python(io.BytesIO(source.encode("utf-8")), keywords, comment_tags, options)


def collected() -> Catalog:
    """Every text of the sources, with the files it stands in (no line numbers: they would change with every edit)."""
    catalog = Catalog(project="Mizan", charset="utf-8")
    found = extract_from_dir(
        ROOT,
        method_map=SOURCES,
        options_map={"**": {"encoding": "utf-8"}},
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        strip_comment_tags=True,
    )
    for file, _line, message, comments, context in found:
        catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    for text in LIBRARY_TEXTS:
        catalog.add(text, None, [("compliance/translation.py", 0)])
    return catalog


def path_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="Mizan")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def languages() -> list[str]:
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def updated(language: str, texts: Catalog) -> bytes:
    """The catalog of a language with the texts of today: new ones empty, gone ones left out, translations kept."""
    catalog = read(language)
    catalog.update(texts, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    out = io.BytesIO()
    write_po(out, catalog, width=120, omit_header=True, include_lineno=False, sort_output=True, ignore_obsolete=True)
    plural = get_plural(language)
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: nplurals={plural.num_plurals}; plural={plural.plural_expr};\\n"\n\n'
    )
    return header.encode() + out.getvalue()


def missing(language: str, texts: Catalog) -> list[str]:
    """The texts, or plural forms of texts, that a language lacks."""
    catalog = read(language)
    lacking = []
    for message in texts:
        if not message.id:
            continue
        translated = catalog.get(_single(message), message.context)
        if translated is None or not _full(translated.string, message, get_plural(language).num_plurals):
            lacking.append(_single(message))
    return lacking


def _single(message: Message) -> str:
    return str(message.id[0]) if isinstance(message.id, list | tuple) else str(message.id)


def _full(string: Any, message: Message, forms: int) -> bool:
    if message.pluralizable:
        return isinstance(string, list | tuple) and len(string) == forms and all(string)
    return bool(string)


def update() -> int:
    texts = collected()
    for language in languages():
        path_of(language).write_bytes(updated(language, texts))
        lacking = missing(language, texts) if language in COMPLETE else []
        print(f"{language}: {len(texts)} texts" + (f", {len(lacking)} to translate" if lacking else ""))
    return 0


def check() -> int:
    texts = collected()
    lacking = [(language, text) for language in COMPLETE for text in missing(language, texts)]
    for language, text in lacking:
        print(f"{language}: no translation for {text!r}")
    stale = [language for language in languages() if path_of(language).read_bytes() != updated(language, texts)]
    for language in stale:
        print(f"{language}: behind the sources. Run: python -m compliance.translation update")
    return 1 if lacking or stale else 0


def compile_all() -> int:
    for language in languages():
        with path_of(language).with_suffix(".mo").open("wb") as out:
            write_mo(out, read(language))
    return 0


def main(arguments: list[str]) -> int:
    commands = {"update": update, "check": check, "compile": compile_all}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(__doc__)
        return 2
    os.chdir(ROOT)
    if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
        settings.configure(USE_I18N=False)
        django.setup()
    return commands[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
