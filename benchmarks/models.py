"""What validates 100 inputs fastest, and what decodes a reply of 100 records fastest.

    python benchmarks/models.py

The validators and models are those of the library and of generated/; the other outputs of
datamodel-code-generator are made on the fly in a temporary folder. All take turns in one process, so that the
ratios hold on a noisy machine. It takes about twenty seconds.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from types import ModuleType
from typing import TypeAlias

import jsonschema
import msgspec
from _batches import MAIN, shape
from _environments import ROOT
from _measure import Column, Table, show
from _server import Account
from clients.floor import encoded
from hubspot_batch_api.models import BatchReply as AttrsReply
from hubspot_batch_models.structs import BatchReply

from hubspot_batch import validate
from hubspot_batch.contract import _operations as contract

DOCUMENT = ROOT / "generated" / "hubspot_batch_models" / "document.json"
ROUNDS = 400
REQUEST = "BatchCreateRequest"
MICROSECONDS = 1e6
COLUMNS = (Column("what"), Column("median", "{:,.0f} µs"), Column("ratio to the first", "{:.1f}"))
Candidates: TypeAlias = Mapping[str, Callable[[], object]]


def main() -> None:
    """Measure and print two tables."""
    content = encoded(shape(MAIN))
    reply = Account().written(content)
    pydantic = generated("pydantic_v2.BaseModel")
    validators = measured(validating(json.loads(content), pydantic))
    decoders = measured(decoding(reply, pydantic))
    show(Table("validation", "Validation of 100 inputs", COLUMNS, validators))
    show(Table("decoding", "Decoding of 100 records", COLUMNS, decoders))


def validating(payload: object, pydantic: ModuleType) -> Candidates:
    """Return what validates the body of a request, each of them finding every fault that there is."""
    document = json.loads(DOCUMENT.read_bytes())
    schema = {"$ref": f"#/components/schemas/{REQUEST}", "components": document["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    ours = contract.validator(REQUEST)
    model = getattr(pydantic, REQUEST)
    return {
        "hubspot_batch.validate": lambda: validate("create_orders", payload),
        "jsonschema-rs alone": lambda: list(ours.iter_errors(payload)),
        "pydantic model_validate": lambda: model.model_validate(payload),
        "jsonschema": lambda: list(validator.iter_errors(payload)),
    }


def decoding(reply: bytes, pydantic: ModuleType) -> Candidates:
    """Return what makes objects of the body of a reply."""
    structs = msgspec.json.Decoder(BatchReply)
    dated = msgspec.json.Decoder(generated("msgspec.Struct", "--output-datetime-class=datetime").BatchReply)
    dicts = msgspec.json.Decoder(generated("typing.TypedDict", "--no-use-closed-typed-dict").BatchReply)
    return {
        "msgspec Structs (used)": lambda: structs.decode(reply),
        "msgspec Structs with datetime": lambda: dated.decode(reply),
        "TypedDicts, checked by msgspec": lambda: dicts.decode(reply),
        "json.loads, nothing checked": lambda: json.loads(reply),
        "pydantic model_validate_json": lambda: pydantic.BatchReply.model_validate_json(reply),
        "attrs from_dict(json.loads)": lambda: AttrsReply.from_dict(json.loads(reply)),
    }


def measured(candidates: Candidates) -> list[tuple[str, float, float]]:
    """Return the line of each candidate."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, do in candidates.items():
            began = perf_counter()
            do()
            times[name].append(perf_counter() - began)
    medians = {name: median(each) for name, each in times.items()}
    first = next(iter(medians.values()))
    return [(name, taken * MICROSECONDS, taken / first) for name, taken in medians.items()]


def generated(output: str, *options: str) -> ModuleType:
    """Return a module of models of the given kind."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "models.py")
        command = [
            *(sys.executable, "-P", "-m", "datamodel_code_generator", "--ignore-pyproject"),
            *(f"--input={DOCUMENT}", "--input-file-type=openapi", f"--output={path}"),
            *(f"--output-model-type={output}", "--target-python-version=3.11"),
            *("--formatters=builtin", "--enum-field-as-literal=all", *options),
        ]
        subprocess.run(command, check=True)
        return loaded(f"models_{output.partition('.')[0]}_{len(options)}", path)


def loaded(name: str, path: Path) -> ModuleType:
    """Return the module of a file."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
