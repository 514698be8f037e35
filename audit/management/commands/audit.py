"""`manage.py audit VERB`: run the sequencer, verify the log, have it confirmed outside, export from it,
show or make its keys, make the database's roles.

Exit: 0 ok, 1 a check failed or a request was refused, 2 bad arguments, 3 something unexpected (no database, say).
"""

import json
import signal
import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction
from psycopg import OperationalError

from audit import context
from audit.actors import system
from audit.anchors.placing import place_due
from audit.anchors.standing import in_words
from audit.checkpoints import KeyProblem, Signer
from audit.database import logs_read_here
from audit.export import CannotExport, Selection, export, export_to_folder
from audit.key_change import change_key
from audit.management.progress import Progress
from audit.models import LOGS
from audit.proofs import NotSignedYet
from audit.proving import continuation, entry_with_proof
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.roles import CannotMakeRoles, make_roles
from audit.selections import KINDS
from audit.sequencer import Sequencer
from audit.tree import NoSuchProof
from audit.verify import Report, number, verify

CHECK_FAILED, BAD_ARGUMENTS, UNEXPECTED = 1, 2, 3


class Command(BaseCommand):
    help = "The audit log: sequence, verify, anchor, export, prove, key, roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("sequence", help="place and sign entries until stopped (needs the login mizan_sequencer)")

        verb = verbs.add_parser(
            "verify", help="check entries, tree, checkpoints, triggers; exit 1 when something is wrong"
        )
        verb.add_argument("--log", choices=LOGS, help="only this one")
        verb.add_argument("--json", action="store_true", help="print one JSON object")

        verb = verbs.add_parser("export", help="write a bundle that verify.py checks offline; the export is recorded")
        what = verb.add_mutually_exclusive_group(required=True)
        what.add_argument("--case", metavar="NUMBER", help="the entries of one case")
        what.add_argument("--customer", metavar="ID", help="the entries about one customer")
        what.add_argument("--period", nargs=2, metavar="DAY", type=date.fromisoformat, help="two days (UTC), included")
        what.add_argument("--full", action="store_true", help="the whole log")
        verb.add_argument("--log", choices=LOGS, default="main")
        verb.add_argument("--reason", required=True, help="why this leaves the house (sealed in the log)")
        verb.add_argument(
            "--to", required=True, type=Path, metavar="PATH", help="a .zip to write; any other name is a new folder"
        )
        verb.add_argument(
            "--since", type=int, action="append", default=[], metavar="SIZE", help="prove from this checkpoint"
        )
        verb.add_argument("--seal-for", metavar="KEY", help="bring sealed parts, for this public key of a recipient")
        verb.add_argument("--no-progress", action="store_true")

        verb = verbs.add_parser("prove", help="write an entry with its proof, or that the log continues a checkpoint")
        what = verb.add_mutually_exclusive_group(required=True)
        what.add_argument("entry", nargs="?", metavar="ENTRY_ID", type=UUID, help="the entry's id, a UUID")
        what.add_argument("--since", type=int, metavar="SIZE", help="the size of a checkpoint kept outside")
        verb.add_argument("--log", choices=LOGS, default="main")
        verb.add_argument(
            "--to", type=Path, default=Path(), metavar="FOLDER", help="where the files go (default: here)"
        )

        verb = verbs.add_parser(
            "anchor", help="hand the newest checkpoints over to every anchor now; exit 1 if one fails"
        )
        verb.add_argument("--log", choices=LOGS, help="only this one")

        verb = verbs.add_parser("key", help="the logs' keys")
        verb.add_argument(
            "act",
            choices=("show", "create", "rotate"),
            help="show the public keys; create those that are missing; change to a new key, which the old one signs",
        )
        verb.add_argument("--log", choices=LOGS, help="only this one; rotate needs it")

        verb = verbs.add_parser("roles", help="make the database and its roles (needs a superuser's DATABASE_URL)")
        verb.add_argument("--database", default="mizan", metavar="NAME")
        verb.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="where new roles' addresses go")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        with context.use(context.new("command")):
            try:
                getattr(self, f"_{verb}")(**options)
            except (KeyProblem, CannotExport, CannotMakeRoles) as refused:
                raise CommandError(str(refused)) from None
            except (DatabaseError, OperationalError) as broken:
                raise CommandError(f"The database does not answer: {broken}", returncode=UNEXPECTED) from None

    def _sequence(self, **options: Any) -> None:
        sequencer = Sequencer(folder=settings.LOG_KEY_DIR, tick=settings.AUDIT_TICK_SECONDS)
        for wish in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wish, lambda *_: sequencer.stop.set())
        sequencer.run()

    def _verify(self, *, log: str | None, **options: Any) -> None:
        readable = logs_read_here()
        if log is not None and log not in readable:
            raise CommandError(f"This login may not read the log {log}.")
        reports = [verify(name, folder=settings.LOG_KEY_DIR) for name in ([log] if log else readable)]
        recorded = [self._record_run(report) for report in reports]
        ok = all(report.ok for report in reports)
        if options["json"]:
            facts = {"ok": ok, "recorded": all(recorded), "logs": [report.as_dict() for report in reports]}
            self.stdout.write(json.dumps(facts, indent=1))
        else:
            for report in reports:
                self._print(report)
        if not ok:
            sys.exit(CHECK_FAILED)

    def _print(self, report: Report) -> None:
        self.stdout.write(report.line)
        for finding in report.findings:
            place = "" if finding.seq is None else f" at entry {number(finding.seq)}"
            self.stdout.write(f"  {'note: ' if finding.notice else ''}{finding.kind}{place}: {finding.text}")

    def _record_run(self, report: Report) -> bool:
        """A run is an entry too; a login that may only read cannot write one."""
        details = {"findings": report.counts, "result": "ok" if report.ok else "failed", "size": report.entries}
        try:
            with transaction.atomic():
                record("audit.verify", by=system(), about=ObjectRef("log", report.log), details=details, log=report.log)
        except DatabaseError:
            self.stderr.write("This run is not recorded: the login may only read.")
            return False
        return True

    def _prove(self, *, entry: UUID | None, since: int | None, log: str, to: Path, **options: Any) -> None:
        try:
            files = entry_with_proof(entry, log, by=system()) if entry else continuation(since or 0, log)
        except (NotSignedYet, NoSuchProof) as problem:
            raise CommandError(str(problem)) from None
        for name, data in files.items():
            try:
                with (to / name).open("xb") as out:
                    out.write(data)
            except OSError as error:
                raise CommandError(f"{to / name} cannot be written: {error.strerror}") from None
            self.stdout.write(str(to / name))

    def _anchor(self, *, log: str | None, **options: Any) -> None:
        logs = (log,) if log else LOGS
        outcomes = place_due(logs=logs, at_once=True)
        for outcome in outcomes:
            self.stdout.write(
                f"{outcome.log}: {outcome.name} {outcome.problem or f'confirmed {number(outcome.size)} entries'}"
            )
        for name in logs:
            self.stdout.write(in_words(name))
        if any(outcome.problem for outcome in outcomes):
            sys.exit(CHECK_FAILED)

    def _export(self, *, to: Path, log: str, reason: str, since: list[int], **options: Any) -> None:
        if options["seal_for"] and not (options["case"] or options["customer"]):
            raise CommandError("--seal-for goes with --case or --customer.", returncode=BAD_ARGUMENTS)
        kind = next(name for name in KINDS if options[name])
        first, last = options["period"] or (None, None)
        of = options[kind] if kind in ("case", "customer") else None
        selection = Selection(kind, of, log, since, first, last, options["seal_for"])
        progress = None if options["no_progress"] else Progress("files", self.stderr)
        if to.suffix == ".zip":
            self._export_zip(selection, to, reason, progress)
        else:
            export_to_folder(selection, to, by=system(), reason=reason, progress=progress)
        self.stdout.write(f"Written: {to}. Check it with verify.py --vkey '{standing(log).vkey}'")

    def _export_zip(self, selection: Selection, to: Path, reason: str, progress: Progress | None) -> None:
        try:
            out = to.open("xb")
        except FileExistsError:
            raise CannotExport(f"{to} exists already. Choose another name.") from None
        try:
            with out:
                export(selection, out, by=system(), reason=reason, progress=progress)
        except BaseException:
            to.unlink()
            raise

    def _key(self, *, act: str, log: str | None, **options: Any) -> None:
        if act == "rotate":
            if log is None:
                raise CommandError("Say which: --log main or --log aml.", returncode=BAD_ARGUMENTS)
            self.stdout.write(change_key(log, settings.LOG_KEY_DIR, by=system()))
            self.stdout.write(f"Give this note and the new key to whoever pinned the old one: {standing(log).vkey}")
            return
        for name in [log] if log else LOGS:
            if act == "create" and not Signer.exists(settings.LOG_KEY_DIR, name):
                if standing(name).signed_size:
                    raise KeyProblem(
                        f"The key of the log {name} is missing in {settings.LOG_KEY_DIR}, but the log was signed "
                        "before. Put it back from a backup: a log keeps its key."
                    )
                Signer.create(settings.LOG_KEY_DIR, name, f"{settings.AUDIT_ORIGIN}/{name}")
            vkey = settings.LOG_KEY_DIR / f"{name}.vkey"
            self.stdout.write(
                vkey.read_text().strip() if vkey.exists() else standing(name).vkey or f"{name}: no key yet"
            )

    def _roles(self, *, database: str, to: Path, **options: Any) -> None:
        try:
            for line in make_roles(database, to):
                self.stdout.write(line)
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be written: {error.strerror}") from None
