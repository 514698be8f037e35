"""Takes away one check of a right after the other and runs the tests that pass through it: one of them must fail.

    python3 dev.py test -p tests.walls.mutants PATHS OF TESTS --mutate cases/glass

Slow, and no part of CI. A first pass runs the tests once, with functions that say when they are entered; then each
check is taken away in the running process (the function's code is exchanged) and those tests run until one fails.
Checks: calls of `require...`, `may...`, `has_right`, `has_perm` and `...visible_to(user)`. Rules of routes are weakened
one by one in `test_matrix.py`. Prints the share, each check that nobody missed, and apart what could not be tried.
"""

import ast
import builtins
import gc
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from _pytest.runner import runtestprotocol
from django.urls import get_resolver

ROOT = Path(__file__).resolve().parents[2]
ASKED = ("may", "has_right", "has_perm", "holds_it", "stands_between")
REFUSES = ("require", "_require")
NOT_HERE = {"slow", "browser", "forks"}  # marks of tests that go through other processes, or take too long to run often
LIKELY = re.compile("who|nobody|only|may|cannot|refus|right|other|stranger|second|without|foreign|own|hidden|visible")


@dataclass(frozen=True)
class Check:
    """One call that lets somebody through or not, in the function that starts at `first`."""

    file: str
    function: str
    first: int
    line: int
    column: int
    kind: str

    def __str__(self):
        return f"{self.file}:{self.line} {self.function}: {self.kind}"


def kind_of(node):
    """What the call decides, or nothing."""
    if not isinstance(node, ast.Call):
        return ""
    name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
    if name == "visible_to" and isinstance(node.func, ast.Attribute):
        return "visible_to"
    if name in ASKED or name.startswith("may_"):
        return f"{name}()"
    return f"{name}()" if name.startswith(REFUSES) else ""


def checks_in(folders):
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")) or [ROOT / folder]:
            if "migrations" not in file.parts:
                yield from _of_file(str(file.relative_to(ROOT)), ast.parse(file.read_text()))


def _of_file(file, tree):
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in _own(function):
                if kind := kind_of(node):
                    first = min([function.lineno, *(each.lineno for each in function.decorator_list)])
                    yield Check(file, function.name, first, node.lineno, node.col_offset, kind)


def _own(function):
    """The nodes of a function without those of functions inside it."""
    todo = list(function.body)
    while todo:
        node = todo.pop(0)
        yield node
        todo += [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.FunctionDef)]


class _TakeAway(ast.NodeTransformer):
    def __init__(self, check):
        self.check = check

    def visit_Call(self, node):
        self.generic_visit(node)
        at = (node.lineno, node.col_offset) == (self.check.line, self.check.column)
        if not at or kind_of(node) != self.check.kind:
            return node
        if self.check.kind == "visible_to":
            rows = ast.Call(ast.Attribute(node.func.value, "all", ast.Load()), [], [])
            return ast.copy_location(rows, node)
        # "knows the player" lets nobody through when it is true; all others do.
        return ast.copy_location(ast.Constant(self.check.kind != "stands_between()"), node)


class _Noted(ast.NodeTransformer):
    """Each function that holds a check says so when it is entered."""

    def __init__(self, firsts):
        self.firsts = firsts

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        if first in self.firsts:
            said = ast.parse(f"__entered__({first})").body[0]
            said.value.args = [ast.Constant((self.firsts[first], node.name, first))]
            node.body.insert(0, ast.copy_location(said, node.body[0]))
        return node


def changed(file, change, name, first):
    """The code of one function of the file, as it would be with the change."""
    path = ROOT / file
    tree = ast.fix_missing_locations(change.visit(ast.parse(path.read_text())))
    return _code(compile(tree, str(path), "exec"), name, first)


def _code(code, name, first):
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if (constant.co_name, constant.co_firstlineno) == (name, first):
                return constant
            if (found := _code(constant, name, first)) is not None:
                return found
    return None


def functions_of(wanted):
    """By key of a check: every function in this process with such code."""
    found = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            code = each.__code__
            if (key := (code.co_filename, code.co_name, code.co_firstlineno)) in wanted:
                found[key].append(each)
    return found


class Mutants:
    """Takes over the loop of pytest."""

    def __init__(self, config):
        self.checks = list(checks_in(config.getoption("mutate")))
        self.tests = config.getoption("tests_each")
        self.entered, self.took = defaultdict(set), {}
        self.seen, self.missed, self.untouched = [], [], []

    def pytest_runtestloop(self, session):
        assert get_resolver().url_patterns, "asked for, so that every view is imported"
        gc.unfreeze()  # what compliance/collecting.py set aside would not be found below
        self.functions = functions_of({self._key(check) for check in self.checks})
        self._first_pass([item for item in session.items if self._is_of_this_process(item)])
        for check in self.checks:
            if self._key(check) in self.entered:
                self._take_away(check)
        self._tell()
        return True

    @staticmethod
    def _is_of_this_process(item):
        return not {mark.name for mark in item.iter_markers()} & NOT_HERE and "stack" not in item.fixturenames

    @staticmethod
    def _key(check):
        return str(ROOT / check.file), check.function, check.first

    def _first_pass(self, items):
        """Every test once, with functions that say when they are entered."""
        entered = set()
        builtins.__entered__ = entered.add
        kept = {}
        for (path, name, first), functions in self.functions.items():
            file = str(Path(path).relative_to(ROOT))
            code = changed(file, _Noted({first: path}), name, first)
            kept |= {function: function.__code__ for function in functions if self._fits(function, code)}
            for function in functions:
                function.__code__ = code if function in kept else function.__code__
        for item in items:
            entered.clear()
            began = time.monotonic()
            passed = self._passes(item)
            self.took[item] = time.monotonic() - began
            if not passed:
                print(f"{item.nodeid} fails by itself: it is left out", flush=True)
            for key in entered if passed else ():
                self.entered[key].add(item)
        for function, code in kept.items():
            function.__code__ = code

    @staticmethod
    def _fits(function, code):
        return code is not None and code.co_freevars == function.__code__.co_freevars

    @staticmethod
    def _passes(item):
        item.session._setupstate.teardown_exact(item)  # of another module: what stands of it goes first
        item._initrequest()  # each run has fixtures of its own
        reports = runtestprotocol(item, log=False, nextitem=item.parent)
        return all(report.outcome != "failed" for report in reports)

    def _take_away(self, check):
        functions = self.functions[self._key(check)]
        weaker = changed(check.file, _TakeAway(check), check.function, check.first)
        if not all(self._fits(function, weaker) for function in functions):
            self.untouched.append(check)
            return
        kept = [function.__code__ for function in functions]
        for function in functions:
            function.__code__ = weaker
        try:
            caught = next((item for item in self._ordered(check) if not self._passes(item)), None)
        finally:
            for function, code in zip(functions, kept, strict=True):
                function.__code__ = code
        (self.seen if caught else self.missed).append(check)
        print(f"{'seen' if caught else 'NOT SEEN'} {check} {caught.nodeid if caught else ''}", flush=True)

    def _ordered(self, check):
        """The quickest first, before them those whose name says that somebody is refused."""
        tests = self.entered[self._key(check)]
        return sorted(tests, key=lambda item: (not LIKELY.search(item.name), self.took[item]))[: self.tests]

    def _tell(self):
        never = [check for check in self.checks if self._key(check) not in self.entered]
        tried = len(self.seen) + len(self.missed)
        print(f"\nchecks: {len(self.checks)}, taken away: {tried}, seen: {len(self.seen)}", end=" ")
        print(f"({100 * len(self.seen) / max(tried, 1):.1f} %)")
        for words, checks in (
            ("NOT SEEN", self.missed),
            ("entered by none of these tests:", never),
            ("cannot be taken away:", self.untouched),
        ):
            print("".join(f"{words} {check}\n" for check in checks), end="")


def pytest_addoption(parser):
    parser.addoption("--mutate", action="append", default=[], help="a folder or file whose checks are taken away")
    parser.addoption("--tests-each", type=int, default=80, help="how many tests at most are run for a check")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if config.getoption("mutate"):
        config.pluginmanager.register(Mutants(config), "mutants")
