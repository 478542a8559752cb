"""What the clients of all generators are tried on: the examples of the document, and a sandbox."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from hubspot_batch.sandbox import Property, Sandbox

PATH = Path(__file__).resolve().parents[2] / "openapi" / "hubspot-batch.yaml"


class Example(NamedTuple):
    """An example of the document, and the schema that it is one of."""

    name: str
    schema: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return self.name


def read_examples(document: dict[str, Any]) -> Iterator[Example]:
    def component(reference: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
        _, _, kind, name = reference["$ref"].split("/")
        return document["components"][kind][name]

    for path in document["paths"].values():
        (operation,) = path.values()
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in map(component, [*bodies, *operation["responses"].values()]):
            if "content" not in body:
                continue
            content = body["content"]["application/json"]
            schema = content["schema"]["$ref"].rpartition("/")[2]
            for example in content["examples"].values():
                yield Example(example["$ref"].rpartition("/")[2], schema, component(example)["value"])


DOCUMENT: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
EXAMPLES = {example.name: example for example in read_examples(DOCUMENT)}
assert EXAMPLES.keys() == DOCUMENT["components"]["examples"].keys()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try each example of the document on a test that takes one."""
    if "example" in metafunc.fixturenames:
        metafunc.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    return DOCUMENT


@pytest.fixture(scope="session")
def path() -> Path:
    return PATH


@pytest.fixture(scope="session")
def examples() -> dict[str, Example]:
    return EXAMPLES


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """Start a sandbox that holds what the request examples name, but the order with a number of its shop."""
    unique = Property("text", unique=True)
    properties = {
        "orders": {"shop_order_number": unique, "shop_number": unique},
        "commerce_payments": {"shop_payment_number": unique},
        "carts": {"shop_cart_number": unique},
    }
    with Sandbox(quota="none", properties=properties) as box:
        box.add("contacts", 301)
        box.add("orders", 44001)
        box.add("line_items", 71001)
        box.add("line_items", 71002)
        box.add("commerce_payments", 82001)
        box.add("carts", 93001)
        yield box
