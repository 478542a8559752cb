"""Which generated models decode a reply of 100 records fastest.

    python benchmarks/decode_replies.py

The Structs and the attrs classes are those of generated/; the other outputs of
datamodel-code-generator are made on the fly in a temporary folder. All take turns in one run, so
that the ratios hold on a noisy machine. Prints a Markdown table.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
from hubspot_batch_api.models import BatchReply as AttrsReply
from hubspot_batch_models.structs import BatchReply

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

DOCUMENT = Path(__file__).resolve().parents[1] / "generated/hubspot_batch_models/document.json"
RECORDS = 100
ROUNDS = 500


def main() -> None:
    """Measure and print."""
    reply = _reply()
    decoders = _decoders()
    times: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(ROUNDS):
        for name, decode in decoders.items():
            start = perf_counter()
            decode(reply)
            times[name].append(perf_counter() - start)
    print(_table({name: median(each) for name, each in times.items()}, len(reply)))


def _reply() -> bytes:
    document = json.loads(DOCUMENT.read_bytes())
    value = document["components"]["examples"]["OrdersCreatedReply"]["value"]
    value["results"] = value["results"] * (RECORDS // len(value["results"]))
    return json.dumps(value).encode()


def _decoders() -> dict[str, Callable[[bytes], object]]:
    pydantic = _generated("pydantic_v2.BaseModel").BatchReply
    typed_dict = _generated("typing.TypedDict", "--no-use-closed-typed-dict").BatchReply
    dated = _generated("msgspec.Struct", "--output-datetime-class=datetime").BatchReply
    return {
        "msgspec Structs (used)": msgspec.json.Decoder(BatchReply).decode,
        "msgspec Structs with datetime": msgspec.json.Decoder(dated).decode,
        "TypedDicts, checked by msgspec": msgspec.json.Decoder(typed_dict).decode,
        "json.loads, nothing checked": json.loads,
        "pydantic model_validate_json": pydantic.model_validate_json,
        "attrs from_dict(json.loads)": lambda reply: AttrsReply.from_dict(json.loads(reply)),
    }


def _generated(output: str, *options: str) -> ModuleType:
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
        return _loaded(f"models_{output.partition('.')[0]}_{len(options)}", path)


def _loaded(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _table(medians: dict[str, float], size: int) -> str:
    fastest = min(medians.values())
    rows = [
        f"| {name} | {taken * 1e6:.0f} | {taken / fastest:.1f} |"
        for name, taken in sorted(medians.items(), key=lambda item: item[1])
    ]
    title = f"| {RECORDS} records, {size:,} bytes | median µs | ratio |"
    return "\n".join([title, "| --- | ---: | ---: |", *rows])


if __name__ == "__main__":
    main()
