"""No regular expression of the package takes more than linear time, for any text."""

import ast
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import hubspot_batch

PLACE_OF_FLAGS = {"split": 3, "sub": 4, "subn": 4}
METHODS = {"fullmatch", "match", "search", "split", "findall", "finditer", "sub", "subn"}
# Texts that make a pattern try many ways: a run that can be divided anywhere, and an end that does not fit.
RUNS = [
    "1",
    "-",
    " ",
    ";",
    ":",
    "a",
    "_",
    "=",
    "<",
    "'",
    "/",
    ".",
    "`",
    '"',
    '\\"',
    "\n",
    "\r",
    "\n ",
    "1.",
    "1:",
]
ENDS = ["", "x", "\0"]


class Use(NamedTuple):
    """A pattern and one way in which the package looks for it."""

    place: str
    pattern: re.Pattern[Any]
    method: str


def modules() -> Iterator[ModuleType]:
    for module in pkgutil.walk_packages(hubspot_batch.__path__, "hubspot_batch."):
        if not module.name.endswith("__main__"):
            yield import_module(module.name)


def uses() -> list[Use]:
    """Return each pattern that a module compiles, or gives to `re`, with each method that is called on it."""
    return [use for module in modules() for use in uses_in(module)]


def uses_in(module: ModuleType) -> Iterator[Use]:
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    called = {
        (ast.unparse(call.func.value), call.func.attr)
        for call in calls
        if isinstance(call.func, ast.Attribute)
    }
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            methods = {method for owner, method in called if owner == name and method in METHODS}
            # Another module may use it in any way.
            for method in methods or METHODS:
                yield Use(f"{module.__name__}.{name}", value, method)
    for call in calls:
        match call.func:
            case ast.Attribute(value=ast.Name(id="re"), attr=method) if method in METHODS:
                flags = call.args[PLACE_OF_FLAGS.get(method, 2) :]
                arguments = [eval_in(module, argument) for argument in (call.args[0], *flags)]
                yield Use(f"{module.__name__}, line {call.lineno}", re.compile(*arguments), method)


def eval_in(module: ModuleType, node: ast.expr) -> Any:  # noqa: ANN401 - any constant
    """Return what an expression of constants is."""
    return eval(compile(ast.Expression(node), "", "eval"), vars(module))  # noqa: S307 - our own source


def compiled() -> set[str]:
    """Return where the package compiles a pattern."""
    return {
        module.__name__
        for module in modules()
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    }


USES = uses()


def test_no_pattern_of_the_package_is_overlooked() -> None:
    assert compiled() <= {use.place.rpartition(".")[0] for use in USES}
    assert not [use.place for use in USES if use.pattern.flags & re.LOCALE]


def run_of(pattern: re.Pattern[Any], method: str, text: str) -> Callable[[], object]:
    content: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
    match method:
        case "sub" | "subn":
            return lambda: getattr(pattern, method)(content[:0], content)
        case "finditer":
            return lambda: sum(1 for _ in pattern.finditer(content))
        case _:
            return lambda: getattr(pattern, method)(content)


def seconds(work: Callable[[], object]) -> float:
    """Return how much processor time some work takes, however busy the machine is."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def is_linear(pattern: re.Pattern[Any], method: str, run: str, end: str) -> bool:
    """Return whether a text that is four times as long takes about four times as long, not sixteen times."""
    for length in (4096, 65536):

        def taken(length: int) -> float:
            text = run * (length // len(run)) + end
            return seconds(run_of(pattern, method, text))

        # Linear time is a small part of this, and quadratic time for the longer one many times as much.
        if taken(length) < 0.005:
            continue
        short, long = (min(taken(length // part) for _ in range(3)) for part in (8, 2))
        if long > 9 * short:
            return False
    return True


def test_a_pattern_takes_linear_time() -> None:
    texts = [(run, end) for run in RUNS for end in ENDS]

    slow = [(use, *text) for use in USES for text in texts if not is_linear(use.pattern, use.method, *text)]

    assert slow == []


@pytest.mark.parametrize(
    ("pattern", "method", "run"),
    [
        (r"[+-]?(\d+\.?\d*|\.\d+)", "fullmatch", "1"),
        (r"\s+;", "search", " "),
        (r";*;*$", "match", ";"),
        (r'"[^"\\]*(\\.[^"\\]*)*"', "findall", '\\"'),
    ],
)
def test_a_pattern_that_takes_more_is_found(pattern: str, method: str, run: str) -> None:
    assert not is_linear(re.compile(pattern), method, run, "x")
