"""YAML as JSON data, and nothing that JSON has not."""

from __future__ import annotations

import math
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_LARGEST = 2**1024


def parse_yaml(text: str) -> object:
    """Return what a text holds. Dates stay texts, and keys are what is written, status codes among them.

    Raises:
        yaml.YAMLError: It is not YAML, or holds what JSON has not.
        ValueError: It holds a number that cannot be read.
        RecursionError: It is nested too deep.
    """
    content: object = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    return content


def finite(written: str) -> float:
    """Return a number.

    Raises:
        ValueError: It is too large, or none.
    """
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"{written} is no number of JSON")
    return number


class _Loader(yaml.SafeLoader):
    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in {"bool", "float", "int", "map", "null", "seq", "str"}
    }
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        self.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is not text", problem_mark=key.start_mark)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002
        made = super().construct_object(node, deep=deep)
        is_number = isinstance(made, int | float)
        if is_number and not -_LARGEST < made < _LARGEST:
            raise yaml.MarkedYAMLError(problem="is no number of JSON", problem_mark=node.start_mark)
        return made
