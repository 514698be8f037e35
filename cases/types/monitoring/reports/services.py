"""Life of a report: drafted, handed over, approved by another, claimed by one, filed once, answered.

Nothing files by itself, and what is uncertain is never tried again by itself: filing twice tells the authority of two
suspicions, not filing breaks the law, so a person finds out.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import record, record_refusal
from cases.types.monitoring import acts, basket, reminders
from cases.types.monitoring import services as investigations
from cases.types.monitoring.models import Investigation
from cases.types.monitoring.models import State as Matter
from cases.types.monitoring.permissions import may_work
from cases.types.monitoring.reports import content as contents
from cases.types.monitoring.reports import goaml, moved, packages
from cases.types.monitoring.reports.content import LABELS, Content
from cases.types.monitoring.reports.due import due_at, follow_suspicion
from cases.types.monitoring.reports.models import ARRIVED, Report, Schema, State
from cases.types.monitoring.reports.profiles import NoProfile, Profile, Version, profile_for, profiles
from cases.types.monitoring.sealing import WORDS, opened, opened_file, sealed, sealed_file
from compliance.people.models import User

CONTENT = "reports.content"
# Operator default. Who began to file and said nothing for so long does not know either whether it arrived.
ANSWER_WITHIN = timedelta(hours=4)


@transaction.atomic
def draft(
    investigation: Investigation, *, kind: str, by: User, follows: Report | None = None, asked: str = ""
) -> Report:
    """Begin a report, with what is known filled in. Its due time is counted now, from the suspicion.

    Raises ConditionsNotMet where nobody said since when there is suspicion, or no authority is known.
    """
    fresh = investigations.locked(investigation)
    _require(by, "reports.draft", fresh)
    if fresh.state in (Matter.CLOSED, Matter.MERGED):
        raise ConditionsNotMet([_("This investigation is closed or went on in another.")])
    if fresh.suspicion_at is None:
        raise ConditionsNotMet([_("Say since when there is suspicion: the statutory period runs from that day.")])
    try:
        profile = profile_for(fresh.licensee.jurisdiction)
        version = profile.on(fresh.licensee.today())
    except NoProfile as unknown:
        raise ConditionsNotMet([str(unknown)]) from None
    if kind not in version.kinds:
        raise ConditionsNotMet(
            [_("%(authority)s knows: %(kinds)s.") % {"authority": profile.authority, "kinds": ", ".join(version.kinds)}]
        )
    report = Report(
        reference=f"{fresh.number}-R{fresh.reports.count() + 1}",
        investigation=fresh,
        licensee=fresh.licensee,
        follows=follows,
        profile=profile.id,
        profile_version=version.id,
        kind=kind,
        suspicion_at=fresh.suspicion_at,
        due_at=due_at(fresh, version),
    )
    begun = contents.prefilled(fresh)
    report.content_sealed = _sealed(report, Content(**{**shown(begun), "asked": asked}))
    report.save(force_insert=True)
    details: dict[str, Any] = {
        "reference": report.reference,
        "profile": profile.id,
        "version": version.id,
        "kind": kind,
    }
    details |= {"due_at": report.due_at} if report.due_at else {}
    record("reports.draft", by=by, about=report, details=details | ({"follows": follows.reference} if follows else {}))
    return report


@transaction.atomic
def write(report: Report, content: Content, *, by: User, version: int | None = None) -> Report:
    """Keep what it says. Only a draft can be written on; a stale page is refused."""
    fresh = locked(report)
    _require(by, "reports.write", fresh.investigation)
    if version is not None and version != fresh.version:
        raise ConditionsNotMet([_("Somebody else wrote on it meanwhile. Look at it again.")])
    if fresh.state != State.DRAFT:
        raise ConditionsNotMet([_("Only a draft can be written on.")])
    unknown = set(content.indicators) - set(indicators_of(fresh))
    if unknown:
        raise ConditionsNotMet(
            [_("The authority does not know these indicators: %(codes)s.") % {"codes": ", ".join(sorted(unknown))}]
        )
    fresh.content_sealed = _sealed(fresh, content)
    fresh.version += 1
    fresh.save(update_fields=["content_sealed", "version"])
    record("reports.write", by=by, about=fresh, details={"digest": _digest(content.dumped().encode())})
    return fresh


def hand_over(report: Report, *, by: User) -> Report:
    """Complete, in the drafter's eyes: the reporting officer decides."""
    with transaction.atomic():
        fresh = locked(report)
        _require_complete(fresh)
        return perform(fresh.hand_over, by=by)  # type: ignore[no-any-return]


def rework(report: Report, *, by: User) -> Report:
    return perform(report.rework, by=by)  # type: ignore[no-any-return]


@transaction.atomic
def approve(report: Report, *, by: User) -> Report:
    """The document is made, checked against the authority's schema, and fixed; only it will be filed."""
    fresh = locked(report)
    _require_complete(fresh)
    document, schema_digest = made(fresh)
    done: Report = perform(
        fresh.approve,
        by=by,
        at=timezone.now(),
        document=sealed_file(document, fresh.pk),
        digest=_digest(document),
        schema_digest=schema_digest,
    )
    matter = investigations.locked(done.investigation)
    if matter.state == Matter.WITH_MLRO:
        perform(matter.report, by=by)
    return done


@transaction.atomic
def leave(report: Report, *, words: str, by: User) -> Report:
    """Not to file it. Why not is kept."""
    if len(words.strip()) < 20:
        raise ConditionsNotMet([_("Say in your own words why: it is kept, above all why nothing is reported.")])
    fresh = locked(report)
    return perform(fresh.leave, by=by, note=words, words_sealed=sealed(WORDS, words, fresh.pk))  # type: ignore[no-any-return]


def claim(report: Report, *, by: User) -> Report:
    """Begin to file it: of two who click at once one gets it, the other WrongState. Committed before anything goes."""
    return perform(report.claim, by=by, at=timezone.now())  # type: ignore[no-any-return]


@transaction.atomic
def take(report: Report, *, by: User) -> bytes:
    """The document, for who claimed it: nobody else could file it a second time."""
    fresh = locked(report)
    claimed = fresh.claimed_by
    if fresh.state != State.SUBMITTING or claimed is None or claimed.human_id != by.human_id:
        record_refusal("reports.take", by=by, about=fresh, reason="not_claimed")
        raise Denied("not_claimed", _("Begin to file it first. One person files it."))
    record("reports.take", by=by, about=fresh, details={"document_digest": fresh.document_digest})
    return opened_file(fresh.document_sealed or b"", fresh.pk)


@transaction.atomic
def submitted(report: Report, *, reference: str, receipt: bytes, by: User) -> Report:
    """It arrived: the authority's reference and its receipt say so."""
    unmet = []
    if not reference.strip():
        unmet.append(_("Write the reference that the authority gave."))
    if not receipt or len(receipt) > basket.MOST_BYTES:
        unmet.append(_("Add the receipt: without it there is no proof that it arrived."))
    if unmet:
        raise ConditionsNotMet(unmet)
    done: Report = perform(
        report.submit,
        by=by,
        reference=reference.strip()[:80],
        at=timezone.now(),
        receipt=sealed_file(receipt, report.pk),
        digest=_digest(receipt),
    )
    matter = investigations.locked(done.investigation)
    if matter.state == Matter.REPORTING:
        perform(matter.watch_on, by=by)
    return done


def lost(report: Report, *, by: Any) -> Report:
    """No answer: it is uncertain, and stays so until somebody found out."""
    return perform(report.lose, by=by)  # type: ignore[no-any-return]


def did_not_arrive(report: Report, *, by: User) -> Report:
    return perform(report.release, by=by)  # type: ignore[no-any-return]


def accepted(report: Report, *, by: User) -> Report:
    return perform(report.accept, by=by, at=timezone.now())  # type: ignore[no-any-return]


def rejected(report: Report, *, words: str, by: User) -> Report:
    """The authority did not take it, for these reasons. It is drafted anew under the same due time."""
    if not words.strip():
        raise ConditionsNotMet([_("Write what the authority said.")])
    kept = sealed(WORDS, words, report.pk)
    with transaction.atomic():
        done: Report = perform(report.reject, by=by, note=words, at=timezone.now(), words_sealed=kept)
        follow_suspicion(done.investigation, by)
    done.refresh_from_db()
    return done


def redraft(report: Report, *, by: User) -> Report:
    return perform(report.redraft, by=by)  # type: ignore[no-any-return]


def follow_up(report: Report, *, kind: str, asked: str, by: User) -> Report:
    """More for the authority, or an answer to its question (`asked` is the reference of that)."""
    if report.state not in ARRIVED:
        raise ConditionsNotMet([_("Only what was filed can be followed up.")])
    return draft(report.investigation, kind=kind, by=by, follows=report, asked=asked.strip()[:80])


def lose_unanswered() -> int:
    """Who claimed and said nothing: uncertain, and the reporting officers are reminded. Never filed again by itself."""
    late = Report.objects.filter(state=State.SUBMITTING, claimed_at__lte=timezone.now() - ANSWER_WITHIN)
    count = 0
    for report in late:
        with transaction.atomic():
            lost(report, by=system())
            reminders.remind_reporting_officers()
        count += 1
    return count


@transaction.atomic
def add_schema(profile: str, data: bytes, *, by: Any) -> Schema:
    """Take an authority's XSD. Raises goaml.NotTaken when it cannot be used."""
    if profile not in profiles() or profiles()[profile].format != "goaml":
        raise ConditionsNotMet([_("Profiles with a schema: %(names)s.") % {"names": ", ".join(_with_schema())}])
    goaml.schema_of(data)
    row, _made = Schema.objects.get_or_create(profile=profile, digest=_digest(data), defaults={"data": data})
    record("reports.add_schema", by=by, about=row, details={"profile": profile, "digest": row.digest})
    return row


def made(report: Report) -> tuple[bytes, str]:
    """The document as it would be filed now, and the digest of the schema it was checked against ("" for a form)."""
    profile, version, said = profile_of(report), version_of(report), content_of(report)
    if profile.format == "form":
        return packages.package(profile, version, said, facts=_facts(report), evidence=_evidence(report)), ""
    schema = Schema.objects.filter(profile=profile.id).order_by("-added_at").first()
    if schema is None:
        raise ConditionsNotMet(
            [_("The schema of %(authority)s is missing: have it added.") % {"authority": profile.authority}]
        )
    facts = moved.facts_of(report)
    document = goaml.document(said, facts, moved.moved_in(report, facts.currency))
    if wrong := goaml.faults(document, goaml.schema_of(bytes(schema.data))):
        raise ConditionsNotMet([_("The authority's schema refuses it:"), *wrong[:20]])
    return document, schema.digest


def content_of(report: Report) -> Content:
    return Content.loaded(opened(CONTENT, report.content_sealed, report.pk))


def words_of(report: Report) -> str:
    """Why it was rejected, or not filed."""
    return opened(WORDS, report.words_sealed, report.pk)


def missing_of(report: Report) -> list[str]:
    """What the authority asks for and is empty, by the labels of the form."""
    return [str(LABELS[path]) for path in contents.missing(content_of(report), version_of(report))]


def profile_of(report: Report) -> Profile:
    return profiles()[report.profile]


def version_of(report: Report) -> Version:
    """What the authority asked for when it was begun."""
    return profile_of(report).at(report.profile_version)


def indicators_of(report: Report) -> Mapping[str, Mapping[str, str]]:
    """Codes and their words: the schema's own list where the operator supplied one."""
    schema = Schema.objects.filter(profile=report.profile).order_by("-added_at").first()
    listed = goaml.codes(bytes(schema.data), "report_indicator_type") if schema else []
    return {code: {"en": code} for code in listed} or version_of(report).indicators


def locked(report: Report) -> Report:
    rows = Report.objects.select_for_update(of=("self",))
    return rows.select_related("investigation__customer", "licensee", "claimed_by").get(pk=report.pk)


def was_filed(investigation: Investigation) -> bool:
    return Report.objects.filter(investigation__in=investigations.whole(investigation), state__in=ARRIVED).exists()


def _require(by: User, action: str, investigation: Investigation) -> None:
    if not may_work(investigation, by):
        record_refusal(action, by=by, about=investigation, reason="no_right")
        raise Denied("no_right")


def _require_complete(report: Report) -> None:
    if missing := missing_of(report):
        raise ConditionsNotMet([_("Still empty: %(field)s") % {"field": field} for field in missing])


def _sealed(report: Report, content: Content) -> bytes:
    return sealed(CONTENT, content.dumped(), report.pk)


def shown(content: Content) -> dict[str, Any]:
    return {name: getattr(content, name) for name in content.__slots__}


def _facts(report: Report) -> dict[str, str]:
    earlier = report.follows.authority_reference if report.follows else ""
    return {
        "reference": report.reference,
        "kind": report.kind,
        "suspicion": report.licensee.day_of(report.suspicion_at).isoformat(),
        "earlier": earlier,
        "rejected": report.rejected_reference,
    }


def _evidence(report: Report) -> list[tuple[str, str, bytes | None]]:
    rows = basket.contents(report.investigation)
    return [
        (title, row.digest, opened_file(row.data_sealed, row.pk) if row.data_sealed else None) for row, title in rows
    ]


def _with_schema() -> list[str]:
    return [name for name, profile in profiles().items() if profile.format == "goaml"]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


acts.REPORTED.append(was_filed)
