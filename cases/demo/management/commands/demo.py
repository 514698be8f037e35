"""`manage.py demo seed | show`: demo data for a first look."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import context
from cases.demo.seed import SignIn, seed
from compliance.people.models import Licensee


class Command(BaseCommand):
    help = "Demo data. `seed` fills an empty installation once; `show` prints its sign-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["seed", "show"])

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if settings.IN_PRODUCTION:
            raise CommandError("Demo data is refused in production (MIZAN_ENV=production).", returncode=2)
        if verb == "seed" and not self._file.exists():
            if Licensee.objects.exists():
                raise CommandError(
                    "This installation has data already. Demo data goes into an empty one only.", returncode=2
                )
            with context.use(context.new("command")):
                self._keep(seed())
        for each in self._kept():
            self.stdout.write(f"{each.role:10}{each.email:24}{each.password}")

    @property
    def _file(self) -> Path:
        return settings.DATA_DIR / "demo.json"

    def _keep(self, sign_ins: list[SignIn]) -> None:
        """In the data folder, readable by its owner only: the passwords are random and belong to this folder."""
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump([{"role": s.role, "email": s.email, "password": s.password} for s in sign_ins], file)

    def _kept(self) -> list[SignIn]:
        if not self._file.exists():
            return []
        return [SignIn(**each) for each in json.loads(self._file.read_text())]
