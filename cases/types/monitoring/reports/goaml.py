"""goAML XML: the elements in the order of the published schema descriptions, checked against the operator's own XSD.

Empty optional elements are left out: the schemas refuse blanks. DTDs and entities are refused, nothing is fetched.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from cases.types.monitoring.reports.content import PARTS, Content

XS: Final = "{http://www.w3.org/2001/XMLSchema}"
CURRENCIES: Final = {"TR": "TRY", "GB": "GBP", "SE": "SEK", "DK": "DKK"}
LONGEST: Final = 8000  # of reason and action, by the schema
Node = tuple[str, Any]
# Codes of the published lists. Where an authority has others its schema refuses them, and nothing is filed.
PRIVATE_MOBILE: Final = (("tph_contact_type", "P"), ("tph_communication_type", "M"))


class NotTaken(ValueError):
    """The schema or document cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One transaction of the report. `amount` in main units of the reporting currency; `incoming`: a deposit.

    `account` is what is known of the means of payment: its last characters.
    """

    number: str
    at: datetime
    amount: Decimal
    incoming: bool
    instrument: str
    account: str
    description: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands beside the content: our reference, the day, the currency, answers to earlier filings."""

    reference: str
    kind: str
    made_at: datetime
    currency: str
    location: str
    authority_reference: str = ""
    rejected_reference: str = ""


def document(content: Content, facts: Facts, moved: Iterable[Moved] = ()) -> bytes:
    """The report as XML: one activity, or the transactions where there are any."""
    transactions = [_transaction(content, facts, one) for one in moved]
    body = transactions or [("activity", _activity(content))]
    nodes: list[Node] = [
        ("rentity_id", content.value("entity.rentity_id")),
        ("rentity_branch", content.value("entity.rentity_branch")),
        ("submission_code", "E"),
        ("report_code", facts.kind),
        ("entity_reference", facts.reference),
        ("fiu_ref_number", content.asked or facts.authority_reference),
        ("prev_rejected_ref_number", facts.rejected_reference),
        ("submission_date", facts.made_at.strftime("%Y-%m-%dT%H:%M:%S")),
        ("currency_code_local", facts.currency),
        ("reporting_user_code", content.value("entity.user_code")),
        ("reason", reason_of(content)),
        ("action", content.action[:LONGEST]),
        *body,
        ("report_indicators", [("indicator", code) for code in content.indicators]),
    ]
    root = _element("report", nodes)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def reason_of(content: Content) -> str:
    """The narrative, part by part."""
    parts = [
        f"{PARTS[part]}: {content.narrative[part].strip()}" for part in PARTS if content.narrative.get(part, "").strip()
    ]
    return "\n\n".join(parts)[:LONGEST]


def parsed(data: bytes) -> Any:
    """The tree of an XML document. NotTaken for a DTD, an entity, or what is no XML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotTaken(f"This is not well-formed XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype or any(node.tag is etree.Entity for node in root.iter()):
        raise NotTaken("A document with a DTD or with entities is not taken.")
    return root


def schema_of(data: bytes) -> Any:
    """The validator of an authority's XSD, its .NET-style patterns repaired. NotTaken says what is wrong."""
    root = parsed(data)
    if root.tag != f"{XS}schema":
        raise NotTaken("This is no XML schema.")
    for name in ("import", "include", "redefine"):
        if root.find(f"{XS}{name}") is not None:
            raise NotTaken(f"The schema names another file (xs:{name}); nothing is fetched. Supply it as one file.")
    for pattern in root.iter(f"{XS}pattern"):
        pattern.set("value", repaired(pattern.get("value", "")))
    try:
        return etree.XMLSchema(root)
    except etree.XMLSchemaParseError as error:
        raise NotTaken(f"The schema is not in order: {error}") from None


def repaired(pattern: str) -> str:
    """A pattern as XML Schema 1.0 has it: without anchors, which are implied there, and with a plain minus escaped."""
    if pattern.startswith("^"):
        pattern = pattern[1:]
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1]
    return re.sub(r"\[(?:\\.|[^\]\\])*\]", lambda found: _class_repaired(found[0]), pattern)


def faults(document_: bytes, schema: Any) -> list[str]:
    """Why the authority's schema would refuse the document, line by line; empty when it would take it."""
    root = parsed(document_)
    if schema.validate(root):
        return []
    return [f"{error.line}: {error.message}" for error in schema.error_log]


def codes(schema_data: bytes, type_name: str) -> list[str]:
    """The code list of a simple type in the schema, such as report_type; [] where there is none."""
    root = parsed(schema_data)
    found = root.find(f"{XS}simpleType[@name='{type_name}']")
    return [] if found is None else [one.get("value") for one in found.iter(f"{XS}enumeration")]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _class_repaired(text: str) -> str:
    """In [0-9-+] the second minus is meant as itself; strict readers take 9-+ for a range that runs backwards."""

    def escaped(found: re.Match[str]) -> str:
        first, last = found[1], found[2]
        return found[0] if ord(first[-1]) <= ord(last[-1]) else f"{first}\\-{last}"

    out, place = "", 1
    inside = text[1:-1]
    while inside:
        ranged = re.match(r"(\\.|[^\\])-(\\.|[^\\])", inside)
        if ranged:
            out += escaped(ranged)
            inside = inside[ranged.end() :]
        else:
            size = 2 if inside.startswith("\\") else 1
            one = inside[:size]
            # A minus after a range, or at either end, stands for itself.
            out += "\\-" if one == "-" else one
            inside = inside[size:]
    return text[:place] + out + "]"


def _activity(content: Content) -> list[Node]:
    party: list[Node] = [
        ("person_my_client", _person(content)),
        ("reason", content.narrative.get("why", "")[:LONGEST]),
    ]
    return [("report_parties", [("report_party", party)])]


def _transaction(content: Content, facts: Facts, one: Moved) -> Node:
    outside = [
        ("from_funds_code" if one.incoming else "to_funds_code", one.instrument),
        (
            "from_account" if one.incoming else "to_account",
            [("institution_name", one.instrument), ("account", one.account)],
        ),
        ("from_country" if one.incoming else "to_country", content.value("subject.residence")),
    ]
    client = [
        ("to_funds_code" if one.incoming else "from_funds_code", one.instrument),
        ("to_person" if one.incoming else "from_person", _person(content)),
        ("to_country" if one.incoming else "from_country", content.value("subject.residence")),
    ]
    sides: list[Node] = [("t_from", outside), ("t_to_my_client", client)]
    if not one.incoming:
        sides = [("t_from_my_client", client), ("t_to", outside)]
    return (
        "transaction",
        [
            ("transactionnumber", one.number),
            ("transaction_location", facts.location),
            ("transaction_description", one.description),
            ("date_transaction", one.at.strftime("%Y-%m-%dT%H:%M:%S")),
            ("transmode_code", "ONLINE"),
            ("amount_local", str(one.amount)),
            *sides,
        ],
    )


def _person(content: Content) -> list[Node]:
    subject: Mapping[str, str] = content.subject
    birth = subject.get("birth_date", "")
    return [
        ("first_name", subject.get("first_name", "")),
        ("last_name", subject.get("last_name", "")),
        ("birthdate", f"{birth}T00:00:00" if birth else ""),
        ("id_number", subject.get("national_id", "")),
        ("nationality1", subject.get("nationality", "")),
        ("residence", subject.get("residence", "")),
        ("phones", _phones(subject.get("phone", ""))),
        ("occupation", subject.get("occupation", "")),
    ]


def _phones(number: str) -> list[Node]:
    return [("phone", [*PRIVATE_MOBILE, ("tph_number", number)])] if number else []


def _element(name: str, value: Any) -> Any:
    node = etree.Element(name)
    if isinstance(value, list):
        for child, inner in value:
            if inner not in ("", [], None):
                node.append(_element(child, inner))
    else:
        node.text = str(value)
    return node
