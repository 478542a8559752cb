"""Change the pure modules in one place after the other, and see whether their tests notice.

    python scripts/mutate.py
    python scripts/mutate.py quota bulk_plan

The tests of a module are those in tests/unit, tests/property and tests/cli that bear its name. A mutant
that they let pass has to be in tests/mutation/survivors.yaml with the reason, and nothing else may be there.
A test that does not end within a minute has noticed, too. Exit codes: 0 every mutant is killed or explained;
1 one is not, or an explanation is out of date; 2 wrong usage, or the tests fail without any change.

The changes are those of mutmut, and three more: its command makes two thirds of the mutants that are made
here, since it leaves alone conditions, results, statements, and all code outside of functions. No file is
changed: a mutant lives in a process of its own, which imports it in the place of the module. That takes a
system that can fork.
"""

import argparse
import difflib
import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

try:
    import libcst as cst
    import pytest
    import yaml
    from hypothesis import Phase, settings
    from mutmut.mutation.mutators import mutation_operators
except ImportError as error:
    sys.exit(f"{error}\nRun: nox -s mutation")

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "hubspot_batch"
# By the subject that their tests bear in their names.
MODULES = {
    "values": "contract/_values",
    "policy": "transport/_retries",
    "quota": "transport/_quota",
    "errors": "errors",
    "matching": "replies/_matching",
    "bulk_plan": "bulk/_plan",
    "bulk_isolation": "bulk/_isolation",
    "bulk_doubt": "bulk/_doubt",
    "bulk_repeats": "bulk/_claims",
    "account_rules": "contract/_account_rules",
    "cells": "cli/_cells",
    "dates": "cli/_dates",
}
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.yaml"
PYTEST = [
    "--exitfirst",
    # pytest would rewrite the assertions of the package, too, and import it from its file for that.
    "--assert=plain",
    "--override-ini=faulthandler_timeout=60",
    "--override-ini=faulthandler_exit_on_timeout=true",
    "-pno:cacheprovider",
]


class Mutant(NamedTuple):
    """A module with one change: the class or function that is changed, and the lines that go and come."""

    module: str
    place: str
    diff: str

    def __str__(self) -> str:
        return f"{path_of(self.module).name}, {self.place or 'top level'}\n{self.diff}"


def path_of(module: str) -> Path:
    """Return where a module is."""
    return ROOT / "src" / PACKAGE / f"{MODULES[module]}.py"


def tests_of(module: str) -> list[str]:
    """Return where the tests of a module are."""
    paths = [ROOT / "tests" / folder / f"test_{module}.py" for folder in ("unit", "property", "cli")]
    return [str(path) for path in paths if path.exists()]


def mutants(module: str) -> dict[Mutant, str]:
    """Return all mutants of a module with their source."""
    source = path_of(module).read_text("utf-8")
    tree = cst.parse_module(source)
    found = {}
    for number, statement in enumerate(tree.body):
        for place, old, new in _changes(statement):
            body = [*tree.body[:number], statement.deep_replace(old, new), *tree.body[number + 1 :]]
            changed = tree.with_changes(body=body).code
            if changed != source and _compiles(changed):
                found[Mutant(module, place, _diff(source, changed))] = changed
    return found


def _changes(node: cst.CSTNode, place: str = "") -> Iterator[tuple[str, cst.CSTNode, cst.CSTNode]]:
    if _is_inert(node):
        return
    if isinstance(node, cst.ClassDef | cst.FunctionDef):
        place = f"{place}.{node.name.value}".lstrip(".")
    for kind, operator in (*mutation_operators, *OPERATORS):
        if isinstance(node, kind):
            yield from ((place, node, new) for new in operator(node))
    for child in node.children:
        yield from _changes(child, place)


def _is_inert(node: cst.CSTNode) -> bool:
    """Return whether only readers and type checkers see a node, or a change of it stops every import."""
    match node:
        case (
            cst.Annotation()
            | cst.Decorator()
            | cst.ImportFrom()
            | cst.Expr(value=cst.SimpleString() | cst.Ellipsis())
        ):
            return True
        case cst.AnnAssign(annotation=cst.Annotation(annotation=cst.Name("TypeAlias"))):
            return True
        case cst.Assign(value=cst.Call(func=cst.Name("TypeVar"))):
            return True
        case _:
            return False


def _negated(node: cst.If | cst.While | cst.CompIf) -> Iterator[cst.CSTNode]:
    test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield node.with_changes(test=cst.UnaryOperation(cst.Not(), test))


# What mutmut leaves alone.
OPERATORS: Sequence[tuple[Any, Any]] = [
    (cst.If | cst.While | cst.CompIf, _negated),
    (cst.Return, lambda node: [node.with_changes(value=cst.Name("None"))] if node.value else []),
    (cst.Expr | cst.Del | cst.Raise, lambda _node: [cst.Pass()]),
]


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _diff(before: str, after: str) -> str:
    _, _, *lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith("@@"))


class _Import(MetaPathFinder, InspectLoader):
    """Imports a module from a source that is in no file."""

    def __init__(self, module: str, source: str) -> None:
        self._name = f"{PACKAGE}.{MODULES[module].replace('/', '.')}"
        self._source = source

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self, is_package=False) if fullname == self._name else None

    def get_source(self, _fullname: str) -> str:
        return self._source


def prepare() -> None:
    """Import what the processes need in common, and let Hypothesis try the same in each of them."""
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutation", derandomize=True, database=None, deadline=None, phases=phases)
    settings.load_profile("mutation")
    os.chdir(ROOT)
    with redirect_stdout(StringIO()):
        pytest.main([*PYTEST, "--collect-only", *tests_of("values")])
    # pytest collects garbage at its end, and need not look through what all processes have in common.
    gc.freeze()


def start(module: str, source: str) -> int:
    """Start the tests of a module that has this source, and return the process id."""
    if process := os.fork():
        return process
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    for name in list(sys.modules):
        if name.partition(".")[0] in {PACKAGE, "tests"}:
            del sys.modules[name]
    sys.meta_path.insert(0, _Import(module, source))
    status = 1
    try:
        status = pytest.main([*PYTEST, *tests_of(module)])
    finally:
        # A mutant that cannot even be imported must not go on as if it were the parent.
        os._exit(status)


def passes(module: str) -> bool:
    """Return whether the tests of a module pass without any change."""
    _, status = os.waitpid(start(module, path_of(module).read_text("utf-8")), 0)
    return status == 0


def survivors(module: str, sources: Mapping[Mutant, str], workers: int) -> Iterator[Mutant]:
    """Yield the mutants of a module that its tests let pass."""
    waiting = list(sources)
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            running[start(module, sources[mutant])] = mutant
        process, status = os.wait()
        mutant = running.pop(process)
        if status == 0:
            yield mutant


def explained() -> dict[Mutant, str]:
    """Return why mutants survive, as far as that is written down."""
    entries = yaml.safe_load(SURVIVORS.read_text("utf-8"))
    return {
        Mutant(entry["module"], entry["place"], entry["diff"].rstrip()): entry["reason"] for entry in entries
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"{', '.join(MODULES)}; all by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="how many run at a time")
    options = parser.parse_args(arguments)
    if unknown := set(options.modules) - MODULES.keys():
        parser.error(f"there is no {', '.join(unknown)}; choose from {', '.join(MODULES)}")

    prepare()
    left = set[Mutant]()
    known = {mutant for mutant in explained() if not options.modules or mutant.module in options.modules}
    for module in options.modules or MODULES:
        if not passes(module):
            parser.exit(2, f"Without any change, this fails: pytest {' '.join(tests_of(module))}\n")
        sources = mutants(module)
        alive = set(survivors(module, sources, options.workers))
        killed = len(sources) - len(alive)
        counts = f"{len(sources)} mutants, {killed} killed, {len(alive & known)} explained"
        print(f"{module}: {counts}", flush=True)
        left |= alive
    for mutant in sorted(left - known):
        print(f"\nNo test notices, and nothing explains: {mutant}")
    for mutant in sorted(known - left):
        print(f"\nExplained, but killed or gone: {mutant}")
    return 1 if left ^ known else 0


if __name__ == "__main__":
    sys.exit(main())
