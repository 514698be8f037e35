"""An export in words as PDF/A, one file a language: for reading and for the file. What is proved lies beside it."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit.checkpoints import Checkpoint
from audit.presenters import present
from audit.queries import Row

MOST_ROWS = 2_000  # a PDF of more is read by nobody and takes long to set; report.html has all of them
TEMPLATE = Path(settings.BASE_DIR) / "templates" / "audit" / "report.typ"
LANGUAGES = ("en", "tr")


def pdfs(title: str, rows: Sequence[Row], checkpoint: Checkpoint) -> dict[str, Callable[[], bytes]]:
    """report-<language>.pdf by name, to be made when its turn comes; none when there are too many rows."""
    if len(rows) > MOST_ROWS:
        return {}

    def of(language: str) -> Callable[[], bytes]:
        return lambda: pdf(title, rows, checkpoint, language=language)

    return {f"report-{language}.pdf": of(language) for language in LANGUAGES}


def pdf(title: str, rows: Sequence[Row], checkpoint: Checkpoint, *, language: str) -> bytes:
    """The entries in one language, PDF/A-2b. Times are UTC. Letters come from typst's own fonts, then the machine's."""
    with override(language):
        data = _data(title, rows, checkpoint, language)
    made: bytes = typst.compile(
        TEMPLATE.read_bytes(), sys_inputs={"data": json.dumps(data, ensure_ascii=False)}, pdf_standards=["a-2b"]
    )
    return made


def _data(title: str, rows: Sequence[Row], checkpoint: Checkpoint, language: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    foreign = ", ".join(str(row.seq) for row in rows if row.flag)
    return {
        "language": language,
        "title": _("What the log says of {of}").format(of=title),
        "origin": checkpoint.origin,
        "product": f"mizan {settings.VERSION}",
        "made": [now.year, now.month, now.day],
        "lead": [
            _("Log: {log}. Entries: {n}. Signed tree: {size} entries, root {root}.").format(
                log=checkpoint.origin,
                n=len(rows),
                size=checkpoint.size,
                root=base64.b64encode(checkpoint.root).decode(),
            ),
            _("Made: {at} UTC. All times are UTC.").format(at=_stamp(now)),
            _("This is a copy for reading. What is proved is entries.jsonl; README.txt says how to check it."),
        ],
        "warning": _("Not written by this product: entry {flagged}.").format(flagged=foreign) if foreign else "",
        "head": [_("Seq"), _("Time, UTC"), _("What happened"), _("Result"), _("What changed")],
        "rows": [_row(shown) for shown in present(rows)],
    }


def _row(shown: dict[str, Any]) -> dict[str, Any]:
    row: Row = shown["row"]
    result = _("Refused") if row.refused else _("Done")
    facts = [[name, f"{old} → {new}"] for name, old, new in shown["changes"]]
    facts += [[name, value] for name, value in shown["details"]]
    if sealed := row.facts.get("sealed"):
        facts.append([_("sealed part"), sealed["kid"]])
    return {
        "seq": row.seq,
        "at": _stamp(row.at),
        "sentence": shown["sentence"],
        "under": " · ".join((row.action, f"{row.actor_kind} {row.actor_id}", f"{row.object_kind} {row.object_id}")),
        "result": f"{result}\n{row.reason}" if row.reason else result,
        "facts": facts,
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
