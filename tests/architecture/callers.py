"""Who is called, read from the sources: which functions a door, a start-up or a command can reach, and what they write.

A function at the top of a module is reached when a reached function names it. Where it all begins is what runs by
itself: the code of doors (views, api, tasks, commands, middleware), of class bodies, and of modules when they load.
"""

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("audit", "compliance", "documents", "cases")
DOORS = {"views", "api", "tasks", "management", "middleware", "urls", "apps", "templatetags"}
WRITERS = {"record", "record_refusal"}
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Module:
    name: str
    tree: ast.Module
    names: dict[str, str] = field(default_factory=dict)  # what a name here stands for, as a dotted path

    @property
    def is_door(self):
        return bool(DOORS & set(self.name.split(".")))


@cache
def walked(tree, *kinds):
    """The nodes of these kinds in a tree, walked once."""
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


@cache
def modules():
    found = {}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            parts = file.relative_to(ROOT).with_suffix("").parts
            if "migrations" in parts or "verifier" in parts:
                continue
            name = ".".join(parts).removesuffix(".__init__")
            found[name] = Module(name, ast.parse(file.read_text()))
    for module in found.values():
        _resolve(module)
    return found


def _resolve(module):
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.names[(alias.asname or alias.name).split(".")[0]] = alias.asname and alias.name or alias.name
    for node in module.tree.body:
        if isinstance(node, FUNCTION):
            module.names[node.name] = f"{module.name}.{node.name}"


def dotted(module, node):
    """The path that an expression stands for: `services.lapse` is cases.types.verification.services.lapse."""
    if isinstance(node, ast.Name):
        return module.names.get(node.id)
    if isinstance(node, ast.Attribute) and (of := dotted(module, node.value)):
        return f"{of}.{node.attr}"
    return None


@cache
def functions():
    return {
        f"{module.name}.{node.name}": (module, node)
        for module in modules().values()
        for node in module.tree.body
        if isinstance(node, FUNCTION)
    }


def _canonical(path):
    """Through re-exports: people.services.lift is people.restrictions.lift."""
    seen = set()
    while path and path not in functions() and path not in seen:
        seen.add(path)
        owner, _dot, name = path.rpartition(".")
        path = modules()[owner].names.get(name) if owner in modules() else None
    return path


def _named_in(module, tree):
    for node in walked(tree, ast.Name, ast.Attribute):
        if (path := _canonical(dotted(module, node))) in functions():
            yield path


@cache
def reached():
    """Every piece of code that can run: (module, tree)."""
    pieces = []
    for module in modules().values():
        for node in module.tree.body:
            if not isinstance(node, FUNCTION) or module.is_door or node.decorator_list and _registers(node):
                pieces.append((module, node))
    known, queue = set(), list(pieces)
    while queue:
        for path in _named_in(*queue.pop()):
            if path not in known:
                known.add(path)
                queue.append(functions()[path])
                pieces.append(functions()[path])
    return pieces


def _registers(node):
    """A decorator that hands the function to somebody: Django's checks and receivers."""
    names = {getattr(call.func if isinstance(call, ast.Call) else call, "attr", "") for call in node.decorator_list}
    return bool(names & {"register", "receiver"})


@cache
def writers():
    """What takes the name of an action, in an argument that is always called `action`: {name: the argument's place}."""
    found = dict.fromkeys(WRITERS, 0)
    for module in modules().values():
        for node in walked(module.tree, *FUNCTION, ast.ClassDef):
            if isinstance(node, ast.ClassDef):  # a record of what is to be written, such as Notice(action, ...)
                names = [line.target.id for line in node.body if isinstance(line, ast.AnnAssign)]
            else:
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
                names += [one.arg for one in node.args.kwonlyargs]
            names = names[names[:1] == ["self"] :]
            if "action" in names:
                found.setdefault(node.name, names.index("action"))
    return found


def _told(tree, known):
    """The expressions given as an action's name in the calls of a tree."""
    for node in walked(tree, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in known:
            continue
        yield from (argument for at, argument in enumerate(node.args) if at == known[name])
        yield from (given.value for given in node.keywords if given.arg == "action")


@cache
def actions_named():
    """Every name of an action that code which can run gives to the log itself."""
    found = set()
    for module, tree in reached():
        if module.name.endswith(".actions"):  # to declare is not to write
            continue
        for told in [*_told(tree, writers()), *_defaults(tree)]:
            found |= set(_texts(module, tree, told))
    return found


def _defaults(tree):
    """What a writer of ours writes when its caller names no action."""
    if isinstance(tree, FUNCTION) and tree.name in writers():
        yield from (default for default in (*tree.args.defaults, *tree.args.kw_defaults) if default is not None)


def _texts(module, piece, told):
    for node in ast.walk(told):
        if isinstance(node, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Name):  # a constant of the module, such as LIFT, or a name given a line before
            lines = [line for line in module.tree.body if isinstance(line, ast.Assign)] + walked(piece, ast.Assign)
            for line in lines:
                if any(_gives(to, node.id) for to in line.targets):
                    yield from (each.value for each in ast.walk(line.value) if isinstance(each, ast.Constant))


def _gives(target, name):
    return any(getattr(one, "id", "") == name for one in ast.walk(target))


@cache
def moves_made(package):
    """Names of bound methods that code of a package, when it can run, hands on uncalled, as `perform` wants."""
    found = set()
    for module, tree in reached():
        if not module.name.startswith(package):
            continue
        called = {id(call.func) for call in walked(tree, ast.Call)}
        found |= {node.attr for node in walked(tree, ast.Attribute) if id(node) not in called}
    return found
