"""`manage.py keys`: the keys of this installation, from the first key file to the last shred.

It lives here because a shred takes documents along; what it calls is compliance.keys and documents.keeping.
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction
from django.db.models import Count, Q

from audit import context
from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState
from audit.record import ObjectRef, record
from compliance.keys import escrow, rotation, services, tombstones
from compliance.keys.locks import Busy
from compliance.keys.models import SubjectKey
from compliance.keys.providers import KeyUnavailable, LocalKeyFile, provider
from compliance.people.management.lookups import customer_of
from compliance.people.models import User
from compliance.proposals.services import propose
from documents.keeping import certificate, erasure
from documents.keeping.models import Erasure
from documents.keeping.renewal import renew

Result = dict[str, Any]


class Command(BaseCommand):
    help = "Make, show, check, rotate, escrow and destroy the keys of this installation."
    # It must run while the keys are what is broken.
    requires_system_checks: Any = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def add(name: str, text: str) -> ArgumentParser:
            verb: ArgumentParser = verbs.add_parser(name, help=text)
            verb.add_argument("--json", action="store_true", help="print one JSON object")
            return verb

        add("ensure", "make the keys of a new installation; do nothing when there are some")
        add("create", "make the keys of a new installation; fail when there are some")
        add("status", "show provider, epochs and how many keys each wraps")
        check = add("check", "check the provider and that it opens this database's keys; exit 1 when it does not")
        check.add_argument("--all", action="store_true", help="open every key, not only the newest")
        rotate = add("rotate", "start a new epoch, or finish one, and rewrap every key; no document is rewritten")
        rotate.add_argument("--destroy-old", action="store_true", help="then destroy older epochs, for good")
        rotate.add_argument("--customer", metavar="ID", help="renew this customer's key and rewrap its documents' keys")
        shred = add("shred", "propose to erase a customer; a second person confirms it on the page Approvals")
        shred.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
        shred.add_argument("--by", required=True, metavar="E-MAIL", help="who proposes it")
        shred.add_argument("--reason", default="erasure_request", help="a code; default erasure_request")
        certificate = add("certificate", "the certificate of a customer's erasure")
        certificate.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
        certificate.add_argument("--pdf", type=Path, metavar="FILE", help="write it as PDF too")
        add("replay-shreds", "after a restore: shred again what was shredded since the backup")
        _add_escrow(add("escrow", "keep the key file with n custodians, of whom any m bring it back"))

    def handle(self, *args: Any, **options: Any) -> None:
        self._json = bool(options["json"])
        try:
            with context.use(context.new("command")):
                result: Result = getattr(self, f"keys_{options['verb'].replace('-', '_')}")(options)
        except (KeyUnavailable, Busy, rotation.StillInUse, escrow.CannotRecover) as error:
            raise CommandError(str(error), returncode=1) from None
        if not options["verbosity"] and not result.get("problems"):
            return
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str))
        else:
            for name, value in result.items():
                self.stdout.write(f"{name}: {_words(value)}")
        if result.get("problems"):
            raise SystemExit(1)

    # ------------------------------------------------------------------------------------------ make, show, check
    def keys_ensure(self, options: Result) -> Result:
        if provider().exists():
            return {"place": provider().place(), "made": False, "problems": provider().health()}
        return self.keys_create(options)

    def keys_create(self, options: Result) -> Result:
        keys = provider()
        if wrapped := _keys_in_database():
            raise CommandError(
                f"The database holds {wrapped} keys that former keys wrap. New ones would not open them: "
                f"restore {keys.place()} from its backup.",
                returncode=1,
            )
        try:
            keys.create()
        except FileExistsError:
            raise CommandError(f"There are keys already: {keys.place()}", returncode=1) from None
        except OSError as error:
            raise CommandError(f"{keys.place()} cannot be written ({error.strerror}).", returncode=1) from None
        return {"place": keys.place(), "made": True, "problems": keys.health()}

    def keys_status(self, options: Result) -> Result:
        keys = provider()
        try:
            epoch, epochs = keys.epoch(), keys.epochs()
        except KeyUnavailable as error:
            return {"provider": keys.name, "problems": [str(error)]}
        counted = SubjectKey.objects.aggregate(
            live=Count("pk", filter=Q(retired_at=None)), destroyed=Count("pk", filter=Q(retired_at__isnull=False))
        )
        wraps = (
            SubjectKey.objects.filter(retired_at=None).values_list("epoch").annotate(n=Count("pk")).order_by("epoch")
        )
        return {
            "provider": keys.name,
            "place": keys.place(),
            "epoch": epoch,
            "epochs kept": epochs,
            "keys": counted["live"],
            "keys destroyed": counted["destroyed"],
            "keys by epoch": [f"{epoch}: {n}" for epoch, n in wraps],
            "problems": services.health() + _tombstone_problems(),
        }

    def keys_check(self, options: Result) -> Result:
        problems = services.health() + _tombstone_problems()
        if not options["all"] or problems:
            return {"problems": problems}
        return {"opened": rotation.verify(say=self._progress("opened")), "problems": []}

    # ---------------------------------------------------------------------------------------------------- rotate
    def keys_rotate(self, options: Result) -> Result:
        if options["customer"]:
            return renew(customer_of(options["customer"]), by=system(), reason="renewed")
        done = rotation.rotate(by=system(), say=self._progress("rewrapped"))
        result: Result = {
            "epoch": done.epoch,
            "resumed": done.resumed,
            "rewrapped": done.rewrapped,
            "seconds": round(done.seconds, 1),
        }
        if options["destroy_old"]:
            ends = rotation.destroy_old_epochs(by=system(), say=self._progress("opened"))
            result["epochs destroyed"] = {epoch: at.isoformat() for epoch, at in ends.items()}
        return result

    # ------------------------------------------------------------------------------------------------------ erase
    def keys_shred(self, options: Result) -> Result:
        """One person cannot erase on the command line either: the act waits for another one."""
        user = User.objects.filter(email=options["by"].lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active sign-in {options['by']}.", returncode=2)
        customer = customer_of(options["customer"])
        try:
            made = propose(erasure.SHRED, customer, by=user, reason=options["reason"])
        except (Denied, WrongState, ConditionsNotMet) as refused:
            raise CommandError(str(refused) or refused.code, returncode=1) from None  # type: ignore[union-attr]
        return {"proposal": str(made.pk), "state": made.state, "expires": made.expires_at.isoformat()}

    def keys_certificate(self, options: Result) -> Result:
        found = Erasure.objects.filter(customer=customer_of(options["customer"])).order_by("-shredded_at").first()
        if found is None:
            raise CommandError("This customer was not erased.", returncode=1)
        text, digest = certificate.issue(found, by=system())
        if options["pdf"]:
            options["pdf"].write_bytes(certificate.pdf(text, digest))
        return {"certificate": json.loads(text), "sha256": digest}

    def keys_replay_shreds(self, options: Result) -> Result:
        return {**erasure.replay(), "problems": _tombstone_problems()}

    # ---------------------------------------------------------------------------------------------------- escrow
    def keys_escrow(self, options: Result) -> Result:
        try:
            result: Result = getattr(self, f"escrow_{options['step']}")(options)
        except FileExistsError as error:
            raise CommandError(f"{error.filename or error} exists already.", returncode=1) from None
        except (OSError, ValueError) as error:
            raise CommandError(str(error), returncode=2) from None
        return result

    def escrow_key(self, options: Result) -> Result:
        return {"public": escrow.new_key(options["out"])}

    def escrow_make(self, options: Result) -> Result:
        keys = _key_file()
        people = [escrow.custodian(text) for text in options["to"]]
        made = escrow.make(keys.raw(), people, threshold=options["threshold"])
        with transaction.atomic(durable=True):
            facts = {
                "escrow": made["id"],
                "epochs": made["epochs"],
                "threshold": made["threshold"],
                "custodians": len(people),
            }
            record("keys.escrow", by=system(), about=ObjectRef("escrow", made["id"]), details=facts)
        with options["out"].open("xb") as file:
            file.write(escrow.dumped(made))
        return {"escrow": made["id"], "epochs": made["epochs"], "custodians": len(people)}

    def escrow_check(self, options: Result) -> Result:
        found = json.loads(options["escrow"].read_bytes())
        current = provider()
        content = current.raw() if isinstance(current, LocalKeyFile) and current.exists() else None
        problems = escrow.check(found, content=content)
        if options["key"] and not problems:
            escrow.recover(found, map(escrow.read_key, options["key"]))
        return {"escrow": found.get("id"), "opened": bool(options["key"] and not problems), "problems": problems}

    def escrow_recover(self, options: Result) -> Result:
        found = json.loads(options["escrow"].read_bytes())
        content = escrow.recover(found, map(escrow.read_key, options["key"]))
        LocalKeyFile(options["out"]).restore(content)
        return {"escrow": found["id"], "key file": str(options["out"]), "epochs": found["epochs"]}

    # -------------------------------------------------------------------------------------------------- progress
    def _progress(self, what: str) -> Callable[[int, int], None]:
        """Rate and time left on a terminal; nothing for a machine."""
        began = time.monotonic()

        def say(done: int, of: int) -> None:
            if self._json or not sys.stderr.isatty():
                return
            rate = done / max(time.monotonic() - began, 0.001)
            left = max(of - done, 0) / rate if rate else 0
            end = "\n" if done >= of else ""
            self.stderr.write(f"\r{what} {done} of {of}, {rate:,.0f}/s, {left:.0f} s left  ", ending=end)

        return say


def _add_escrow(parser: ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    def add(name: str, text: str) -> ArgumentParser:
        step: ArgumentParser = steps.add_parser(name, help=text)
        step.add_argument("--json", action="store_true", help="print one JSON object")
        return step

    key = add("key", "a custodian's own key: a private file, and the public key to hand on")
    key.add_argument("--out", type=Path, required=True, help="the private key's file")
    make = add("make", "seal the key file to the custodians")
    make.add_argument("--threshold", type=int, required=True, help="how many custodians bring it back")
    make.add_argument("--to", action="append", required=True, metavar="NAME=PUBLIC", help="a custodian; repeat it")
    make.add_argument("--out", type=Path, required=True, help="the escrow file")
    check = add("check", "is the escrow whole and current; with enough --key, does it open. Writes nothing")
    recover = add("recover", "bring the key file back")
    recover.add_argument("--out", type=Path, required=True, help="the key file to write")
    for step in (check, recover):
        step.add_argument("escrow", type=Path, help="the escrow file")
        step.add_argument("--key", type=Path, action="append", default=[], help="a custodian's private key; repeat it")


def _key_file() -> LocalKeyFile:
    keys = provider()
    if not isinstance(keys, LocalKeyFile):
        raise CommandError(
            f"The provider {keys.name} keeps its keys itself and hands none out: use its own recovery.", returncode=1
        )
    return keys


def _keys_in_database() -> int:
    try:
        return SubjectKey.objects.filter(retired_at=None).count()
    except DatabaseError:
        # No table, no database yet: nothing can be wrapped.
        return 0


def _tombstone_problems() -> list[str]:
    try:
        missing = len(tombstones.unreplayed())
    except KeyUnavailable as error:
        return [str(error)]
    return [f"{missing} shreds are not in this database: run `manage.py keys replay-shreds`."] if missing else []


def _words(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name}: {part}" for name, part in value.items()]
    return str(value) if not isinstance(value, list) else "; ".join(map(str, value)) or "none"
