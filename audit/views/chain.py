"""How far the log is placed, signed, verified and confirmed outside: the strip above every page of the log."""

from typing import Any

from django.http import HttpRequest

from audit import queries
from audit.anchors.standing import confirmed


def logs_of(request: HttpRequest) -> list[str]:
    """The AML side has a log of its own; for everybody else it does not exist."""
    return ["main", "aml"] if request.user.has_perm("audit.view_aml_entry") else ["main"]


def chain(log: str) -> dict[str, Any]:
    now = queries.standing(log)
    run = queries.last_verification(log)
    verified = int(run.facts["data"]["size"]) if run and run.facts["data"]["result"] == "ok" else 0
    anchors = confirmed(log)
    return {
        "standing": now,
        "run": run,
        "failed": bool(run and run.facts["data"]["result"] != "ok"),
        "verified": verified,
        "since": max(now.size - verified, 0),
        "share": round(600 * verified / now.size) if now.size else 0,
        "anchors": anchors,
        "anchored": anchors[0] if anchors and anchors[0].size else None,
        "log": log,
    }
