"""How a log changes its key, so that who pinned the old one follows to the new one, and back.

1. `prepare` makes the next key beside the present one. An entry announces it and is signed with the present key.
2. `rotate` writes the rotation note, signed with both keys, and puts the next key in the place of the present one,
   whose private half is gone then. The note says at which size: the old key signs nothing larger, the new one nothing
   smaller.

    mizan.rotation/v1
    <origin>
    <number, from 1 on>
    <size>
    <root, base64>
    <old verifier key>
    <new verifier key>

    — <origin> <signature of the old key>
    — <origin> <signature of the new key>
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from audit.checkpoints import BadNote, Checkpoint, Signer, Verifier, alone_with, make_key, write_durably

HEAD = "mizan.rotation/v1"


@dataclass(frozen=True, slots=True)
class Rotation:
    """One change of key, as its note says it."""

    number: int
    at: Checkpoint
    old: Verifier
    new: Verifier

    @property
    def text(self) -> str:
        origin, size, root, _ = self.at.text.split("\n")
        return "\n".join([HEAD, origin, str(self.number), size, root, str(self.old), str(self.new), ""])

    @classmethod
    def parse(cls, note: str) -> "Rotation":
        """What a note says, once both its signatures fit; raises BadNote. Trust is the ring's business."""
        text, separator, signatures = note.rpartition("\n\n")
        lines, signed = (text + "\n").split("\n"), signatures.split("\n")
        if not separator or len(lines) != 8 or lines[0] != HEAD or len(signed) != 3 or signed[2]:
            raise BadNote("not a rotation note with two signatures")
        if not re.fullmatch(r"[1-9]\d{0,8}", lines[2]):
            raise BadNote("not the number of a rotation")
        at = Checkpoint.parse("\n".join([lines[1], *lines[3:5], ""]))
        found = cls(int(lines[2]), at, Verifier.parse(lines[5]), Verifier.parse(lines[6]))
        for key, line in ((found.old, signed[0]), (found.new, signed[1])):
            if key.name != at.origin or key.open(f"{text}\n\n{line}\n") != found.text:
                raise BadNote("a rotation note in another form")
        if found.old == found.new:
            raise BadNote("a rotation to the same key")
        return found


class Ring:
    """The keys of one log in their order: one that is trusted, and those that rotation notes lead to and from."""

    def __init__(self, trusted: Verifier, notes: Sequence[str] = ()) -> None:
        """Raises BadNote when the notes are no chain that holds the trusted key."""
        self.rotations = [Rotation.parse(note) for note in notes]
        self.keys = [rotation.old for rotation in self.rotations[:1]] or [trusted]
        before = 0
        for number, rotation in enumerate(self.rotations, 1):
            if (rotation.number, rotation.old) != (number, self.keys[-1]) or rotation.at.size < before:
                raise BadNote(f"rotation {rotation.number} does not follow the one before it")
            before = rotation.at.size
            self.keys.append(rotation.new)
        if trusted not in self.keys:
            raise BadNote("no rotation note leads from the key that is trusted")

    @property
    def newest(self) -> Verifier:
        return self.keys[-1]

    def checkpoint(self, note: str) -> Checkpoint:
        """What a checkpoint says, signed by the key that was in use at its size; raises BadNote."""
        problem = BadNote("not signed by a key of this log")
        for at, key in enumerate(self.keys):
            try:
                said = Checkpoint.parse(key.open(note))
            except BadNote as bad:
                problem = bad
                continue
            first = self.rotations[at - 1].at.size if at else 0
            last = self.rotations[at].at.size if at < len(self.rotations) else said.size
            if first <= said.size <= last:
                return said
            raise BadNote("signed by a key that was not in use at this size")
        raise problem


def prepare(folder: Path, log: str) -> Verifier:
    """The next key of a log, made unless it is there already."""
    present = Signer(folder, log)
    if not _next(folder, log).exists():
        make_key(_next(folder, log), present.verifier.name)
    return Signer(folder, log, key=_next(folder, log)).verifier


def rotate(folder: Path, log: str) -> str:
    """Put the prepared key in the place of the present one; the rotation note. May be repeated after a kill."""
    present, following = Signer(folder, log), Signer(folder, log, key=_next(folder, log))
    with alone_with(folder / f"{log}.key"):
        size, root = present.signed()
        number = len(notes_in(folder, log)) + 1
        at = Checkpoint(present.verifier.name, size, root)
        text = Rotation(number, at, present.verifier, following.verifier).text
        note = present.note(text) + following.note(text).rpartition("\n\n")[2]
        Rotation.parse(note)
        write_durably(_file(folder, log, number), note, 0o644)
        _next(folder, log).replace(folder / f"{log}.key")  # from here on the new key signs
        write_durably(folder / f"{log}.vkey", f"{following.verifier}\n", 0o644)
    return note


def notes_in(folder: Path, log: str) -> list[str]:
    """The rotation notes of a key folder, in order. One that a kill left before its key took over does not count."""
    notes: list[str] = []
    while (file := _file(folder, log, len(notes) + 1)).exists():
        notes.append(file.read_text())
    if notes and str(Rotation.parse(notes[-1]).new) != (folder / f"{log}.vkey").read_text().strip():
        notes.pop()
    return notes


def notes_of(log: str) -> list[str]:
    """The rotation notes that the sequencer took up, in order."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT note FROM audit_rotation WHERE log = %s ORDER BY number", [log])
        return [note for (note,) in cursor.fetchall()]


def _next(folder: Path, log: str) -> Path:
    return folder / f"{log}.next"


def _file(folder: Path, log: str, number: int) -> Path:
    return folder / f"{log}.rotation.{number}"
