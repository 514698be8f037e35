"""The free texts of a proposal, sealed under the key of its subject: what the maker wrote, what came back, inputs."""

import json
from typing import Any

from compliance.keys.services import open_sealed, seal
from compliance.proposals.models import Proposal

NOTE, ANSWER, INPUTS = "proposals.note", "proposals.answer", "proposals.inputs"


def note_of(proposal: Proposal) -> str:
    """What the maker wrote for the second person."""
    return _opened(proposal, NOTE, proposal.note_sealed)


def answer_of(proposal: Proposal) -> str:
    """What the second person wrote when sending it back."""
    return _opened(proposal, ANSWER, proposal.answer_sealed)


def inputs_of(proposal: Proposal) -> dict[str, Any]:
    """Everything the act is to be run with, free text included."""
    sealed: dict[str, Any] = json.loads(_opened(proposal, INPUTS, proposal.inputs_sealed) or "{}")
    return dict(proposal.inputs) | sealed


def sealed(proposal: Proposal, purpose: str, words: str) -> bytes:
    return seal(proposal.audit_subject, purpose, words.encode(), aad=proposal.pk.bytes)


def _opened(proposal: Proposal, purpose: str, text: Any) -> str:
    if text is None:
        return ""
    return open_sealed(proposal.audit_subject, purpose, bytes(text), aad=proposal.pk.bytes).decode()
