"""Entries as sentences."""
from audit.registry import lookup


def sentence_of(facts, *, actor=""):
    return str(lookup(facts["action"]).sentence)
