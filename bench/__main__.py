"""Runs one bench module and prints its rows. Started by `dev.py bench`, which sets the database and environment up."""

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import django
from django.db import connection

from bench import Row

VERSIONS = ("django", "psycopg", "cryptography", "gunicorn", "celery")
SETTINGS = ("server_version", "synchronous_commit", "fsync", "full_page_writes", "shared_buffers", "wal_level")
MISSED, BAD_ARGUMENTS = 1, 2


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", allow_abbrev=False)
    parser.add_argument("name")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, help="soak: how long (default 60)")
    parser.add_argument("--rate", type=float, help="soak: requests a second (default 30)")
    options = parser.parse_args(arguments)
    if options.name not in names():
        print(f"There is no bench {options.name!r}. There are: {', '.join(names()) or 'none'}.", file=sys.stderr)
        return BAD_ARGUMENTS
    django.setup()
    module = importlib.import_module(f"bench.{options.name}")
    began = time.monotonic()
    given = {name: getattr(options, name) for name in ("minutes", "rate") if getattr(options, name) is not None}
    rows: list[Row] = module.rows(quick=options.quick, **given)
    report = {
        "bench": options.name,
        "quick": options.quick,
        "seconds": round(time.monotonic() - began, 1),
        "rows": [row.as_dict() for row in rows],
        "machine": machine(),
        "versions": versions(),
        "data": getattr(module, "DATA", {}),
        "database": database(),
    }
    print(json.dumps(report, indent=1) if options.json else as_text(report))
    return 0 if rows and all(row.ok for row in rows) else MISSED


def names() -> list[str]:
    return sorted(file.stem for file in Path(__file__).parent.glob("*.py") if not file.stem.startswith("_"))


def machine() -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": processor(),
        "memory_mb": memory // 2**20,
        "system": platform.platform(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in VERSIONS}


def database() -> dict[str, str]:
    """What the server says of itself: a number without its durability settings means nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)])
        return dict(cursor.fetchall())


def as_text(report: dict) -> str:
    lines = [
        f"{row['id']:<28} {row['value']:>12.4g} {row['unit']:<6} {row['op']} {row['bound']:<8g} "
        f"{'ok' if row['ok'] else 'MISSED'}   n={row['n']}"
        for row in report["rows"]
    ]
    for heading in ("machine", "versions", "data", "database"):
        lines.append(f"{heading}: " + ", ".join(f"{name} {value}" for name, value in report[heading].items()))
    lines.append(f"{report['seconds']} s{' (quick)' if report['quick'] else ''}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
