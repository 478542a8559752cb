"""The facade against the document, the generated code, its own other face, and the plan of the house."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module, resources
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

import hubspot_batch_api
import hubspot_batch_models
import hubspot_batch_models.inputs as generated_inputs
import msgspec
import pydantic
import pytest
import yaml
from hubspot_batch_models import structs
from typing_extensions import is_typeddict  # that of typing knows only its own before Python 3.12

import hubspot_batch
from hubspot_batch import AsyncHubSpot, HubSpot, bulk, sandbox, types
from hubspot_batch.bulk._options import Options
from hubspot_batch.contract import _inputs as inputs
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._associations import association_type
from hubspot_batch.oauth import RefreshToken
from tests.conftest import case

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "hubspot_batch"
BEHAVIOUR = ROOT / "docs" / "behaviour.md"
DOCUMENT: dict[str, Any] = yaml.safe_load(
    (ROOT / "openapi" / "hubspot-batch.yaml").read_text(encoding="utf-8")
)

NAMESPACES = ["orders", "line_items", "commerce_payments", "carts"]
READ_ONLY = ["contacts", "companies", "deals", "products"]
METHODS = ["__init__", "with_options", "close", "__enter__", "__exit__", "__repr__"]
PUBLIC = ["associations", "close", "generated", "with_options"]
OF_VERB = ["batch_{}", "{}_all", "stream_{}"]


def clients() -> tuple[HubSpot, AsyncHubSpot]:
    return HubSpot("token-1"), AsyncHubSpot("token-1")


def public_names(thing: object) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]


def signature(method: object) -> str:
    """A signature in which what is asynchronous reads as its counterpart."""
    assert callable(method)
    text = str(inspect.signature(method)).replace(" | " + AWAITABLE_TOKEN, "")
    return re.sub(r"\bAsync(Client|BaseTransport)\b", r"\1", text)


AWAITABLE_TOKEN = "collections.abc.Callable[[], collections.abc.Awaitable[str]]"


def test_both_clients_have_the_same_public_names() -> None:
    hub, async_hub = clients()

    assert public_names(hub) == public_names(async_hub) == sorted([*PUBLIC, *NAMESPACES, *READ_ONLY])


@pytest.mark.parametrize("name", METHODS)
def test_both_clients_have_the_same_signatures(name: str) -> None:
    counterpart = {"__enter__": "__aenter__", "__exit__": "__aexit__"}.get(name, name)

    assert signature(getattr(HubSpot, name)) == signature(getattr(AsyncHubSpot, counterpart))


def test_only_the_type_of_the_token_is_wider_in_the_async_client() -> None:
    assert AWAITABLE_TOKEN in str(inspect.signature(AsyncHubSpot))
    assert AWAITABLE_TOKEN not in str(inspect.signature(HubSpot))


def test_all_but_the_token_is_keyword_only() -> None:
    positional = [
        name
        for name, parameter in inspect.signature(HubSpot).parameters.items()
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]

    assert positional == ["access_token"]


def test_only_the_async_client_has_to_be_awaited() -> None:
    names = ["close", "with_options"]
    assert [name for name in names if inspect.iscoroutinefunction(getattr(HubSpot, name))] == []
    assert [name for name in names if inspect.iscoroutinefunction(getattr(AsyncHubSpot, name))] == ["close"]


@pytest.mark.parametrize("namespace", [*NAMESPACES, *READ_ONLY, "associations"])
def test_both_clients_have_the_same_methods_in_a_namespace(namespace: str) -> None:
    plain, asynchronous = (getattr(hub, namespace) for hub in clients())

    assert public_names(plain) == public_names(asynchronous)
    for name in public_names(plain):
        # One function, so that `help` and what editors show are equal.
        assert getattr(plain, name).__func__ is getattr(asynchronous, name).__func__
        assert inspect.getdoc(getattr(plain, name))


@pytest.mark.parametrize("namespace", [*NAMESPACES, *READ_ONLY])
def test_all_but_the_inputs_is_keyword_only(namespace: str) -> None:
    subjects = {}
    for name in set(public_names(getattr(HubSpot("t"), namespace))) - {"properties"}:
        method = getattr(getattr(HubSpot("t"), namespace), name)
        first, *others = inspect.signature(method).parameters.values()
        subjects[name] = first.name
        assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        assert {other.kind for other in others} <= {inspect.Parameter.KEYWORD_ONLY}

    ids = {name: "ids" for name in subjects if "read" in name or "archive" in name}
    assert subjects == {name: "inputs" if name.startswith("batch_") else "rows" for name in subjects} | ids


@pytest.mark.parametrize("namespace", [*NAMESPACES, *READ_ONLY])
def test_a_run_takes_the_same_options_as_a_stream_or_as_a_whole(namespace: str) -> None:
    for hub in clients():
        methods = getattr(hub, namespace)
        for verb in {name.removesuffix("_all") for name in public_names(methods) if name.endswith("_all")}:
            whole = inspect.signature(getattr(methods, f"{verb}_all"))
            streamed = inspect.signature(getattr(methods, f"stream_{verb}"))
            assert whole.parameters == streamed.parameters


def test_the_options_of_a_run_are_those_of_the_methods() -> None:
    keywords = {
        name: [*inspect.signature(getattr(HubSpot("token-1").orders, name)).parameters][1:]
        for name in ("create_all", "update_all")
    }
    # What the other methods make of their own keywords.
    made = {"arguments", "beside", "resolves"}

    assert {*keywords["create_all"], *keywords["update_all"]} == set(Options.__annotations__) - made
    of_one = {"existing", "settle_after", "changed_only", "send_all"}
    common = {name: [one for one in found[1:] if one not in of_one] for name, found in keywords.items()}
    assert common["create_all"] == common["update_all"]


def test_both_streams_have_the_same_public_names_and_signatures() -> None:
    def of(kind: type) -> dict[str, str]:
        members = {name: getattr(kind, name) for name in public_names(kind)}
        return {name: signature(member) if callable(member) else "" for name, member in members.items()}

    assert of(bulk.Stream) == of(bulk.AsyncStream)
    assert signature(bulk.Stream) == signature(bulk.AsyncStream)


# They compare rows with the account, and look for unknown ones, by way of several operations.
CHECKS = {(namespace, name) for namespace in NAMESPACES for name in ("check", "resolve")}
# What no method of a client calls. It can be called through `hub.generated`.
LACKING: set[str] = set()


def methods_for(operation: contract.Operation) -> set[tuple[str, str]]:
    """The methods of an operation, each with its namespace."""
    if operation.id == "list_properties":
        return {(namespace, "properties") for namespace in [*NAMESPACES, *READ_ONLY]}
    if operation.id == "read_objects":
        return {(namespace, form.format("read")) for namespace in READ_ONLY for form in OF_VERB}
    return {(operation.object_type, form.format(operation.verb)) for form in OF_VERB}


def test_the_facade_has_a_method_for_each_operation_but_those_that_it_lacks() -> None:
    known = contract.operations()
    wanted = [methods_for(operation) for operation in known.values() if operation.id not in LACKING]

    for hub in clients():
        methods = {
            (namespace, name)
            for namespace in [*NAMESPACES, *READ_ONLY, "associations"]
            for name in public_names(getattr(hub, namespace))
        }
        assert methods == CHECKS.union(*wanted)
    assert known.keys() >= LACKING


def test_the_exports_are_these_and_no_others() -> None:
    assert hubspot_batch.__all__ == [
        "ApiError",
        "AssociatedPair",
        "Association",
        "AssociationResult",
        "AsyncHubSpot",
        "AuthenticationError",
        "BadRequestError",
        "BatchResult",
        "BulkError",
        "ClosedError",
        "ConfigurationError",
        "ConflictError",
        "ConnectionFailedError",
        "CreateInput",
        "HubSpot",
        "HubSpotBatchError",
        "InputIssue",
        "InvalidInputError",
        "JournalError",
        "JournalInUseError",
        "NotFoundError",
        "PermissionDeniedError",
        "PropertyDefinition",
        "PropertyOption",
        "PropertyValue",
        "PropertyVersion",
        "Quota",
        "QuotaUnavailableError",
        "RateLimitError",
        "Reason",
        "Record",
        "RecordError",
        "RecordWarning",
        "RequestTimeoutError",
        "Response",
        "Retries",
        "ServerError",
        "SharedQuota",
        "SourceError",
        "UnexpectedReplyError",
        "UpdateInput",
        "UpsertInput",
        "__version__",
        "printable",
        "validate",
    ]


def test_a_public_module_says_what_may_be_imported() -> None:
    names = ("bulk", "bulk.arrow", "client", "contract", "oauth", "objects")
    for name in (*names, "pytest_plugin", "results", "sandbox", "types"):
        with case(name):
            module = import_module(f"hubspot_batch.{name}")

            for exported in module.__all__:
                assert not exported.startswith("_")
                assert hasattr(module, exported)


def test_each_namespace_source_and_input_can_be_annotated_with() -> None:
    names = set(re.findall(r"hubspot_batch\.types\.(\w+)", MODULES["objects"]))

    assert names | {"Objects", "AsyncObjects", "TokenSource", "AsyncTokenSource"} <= set(types.__all__)
    names = {*NAMESPACES, *READ_ONLY, "associations"}
    plain, asynchronous = ({type(getattr(hub, name)) for name in names} for hub in clients())
    assert plain == {types.Objects, types.ReadOnlyObjects, types.Associations}
    assert asynchronous == {types.AsyncObjects, types.AsyncReadOnlyObjects, types.AsyncAssociations}
    assert types.__all__ == sorted(types.__all__)


def test_the_exports_of_bulk_are_these_and_no_others() -> None:
    assert bulk.__all__ == [
        "AsyncStream",
        "BulkError",
        "Check",
        "CheckFault",
        "CheckReport",
        "Outcome",
        "Outcomes",
        "Progress",
        "Report",
        "RunInfo",
        "SentInfo",
        "Stream",
        "check",
        "check_id_property",
        "count_done",
        "flat_input",
        "input_with",
        "inputs_from",
        "read_outcomes",
        "read_run",
        "read_sent",
        "write_notes",
    ]


def test_an_export_of_bulk_says_what_it_is() -> None:
    for name in bulk.__all__:
        with case(name):
            value = getattr(bulk, name)

            assert value.__name__ == name
            assert value.__module__.startswith("hubspot_batch.")
            assert inspect.getdoc(value)


def test_an_export_can_be_imported_and_says_what_it_is() -> None:
    for name in hubspot_batch.__all__:
        with case(name):
            value = getattr(hubspot_batch, name)

            if name not in {"PropertyValue", "__version__"}:
                assert value.__name__ == name
                assert value.__module__.startswith("hubspot_batch.")
                assert inspect.getdoc(value)


def test_each_export_is_made_from_the_module_that_type_checkers_see() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    for node in checked.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert getattr(hubspot_batch, alias.name) is getattr(import_module(str(node.module)), alias.name)


def test_dir_lists_the_exports() -> None:
    assert dir(hubspot_batch) == sorted(hubspot_batch.__all__)


def test_a_star_import_brings_the_exports() -> None:
    names: dict[str, object] = {}

    exec("from hubspot_batch import *", names)  # noqa: S102 - no other way inside a function

    assert names.keys() - {"__builtins__"} == set(hubspot_batch.__all__)


def test_any_other_name_is_no_attribute() -> None:
    name = "Hubspot"

    with pytest.raises(AttributeError, match=r"^module 'hubspot_batch' has no attribute 'Hubspot'$"):
        getattr(hubspot_batch, name)


def test_a_module_that_annotations_name_is_imported_when_it_is_asked_for() -> None:
    asked = vars(hubspot_batch)["__getattr__"]

    assert asked("bulk") is import_module("hubspot_batch.bulk")


@pytest.mark.parametrize(
    ("code", "later"),
    [
        ("import hubspot_batch", ("httpx", "msgspec")),
        (
            "from hubspot_batch import HubSpot; HubSpot('token-1').orders",
            (
                "anyio",
                "hubspot_batch.transport._calls",
                "hubspot_batch.transport._sync",
                "jsonschema_rs",
                "sqlite3",
            ),
        ),
        (
            "from hubspot_batch import AsyncHubSpot; AsyncHubSpot('token-1').orders",
            ("hubspot_batch.transport._calls", "hubspot_batch.bulk", "jsonschema_rs", "sqlite3"),
        ),
    ],
    ids=["package", "client", "async client"],
)
def test_nothing_is_imported_before_it_is_needed(code: str, later: tuple[str, ...]) -> None:
    code = f"import sys; {code}; print([name for name in sys.modules if name.startswith({later})])"
    # What measures coverage loads SQLite itself.
    environment = {name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout == "[]\n"


def test_the_package_is_typed() -> None:
    for package in ("hubspot_batch", "hubspot_batch_api", "hubspot_batch_models"):
        assert resources.files(package).joinpath("py.typed").is_file()


def test_the_errors_are_drawn_as_they_are_derived() -> None:
    module = import_module("hubspot_batch.errors")
    assert module.__doc__ is not None
    drawn: list[tuple[str, str]] = []
    parents = ["Exception"]
    for line in module.__doc__.splitlines():
        if match := re.match(r"    ([│├└─ ]*)(\w+Error)\b", line):
            depth = len(match[1]) // 4
            del parents[depth + 1 :]
            drawn.append((match[2], parents[-1]))
            parents.append(match[2])

    derived = {
        kind.__name__: kind.__bases__[0].__name__
        for kind in (*vars(module).values(), hubspot_batch.BulkError)
        if inspect.isclass(kind) and issubclass(kind, Exception)
    }
    assert dict(drawn) == derived


Fields = dict[str, tuple[Any, bool]]


def fields_of(kind: type) -> Fields:
    """The type of each key, and whether it may be left out."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: (get_args(hint)[0], True) if get_origin(hint) is NotRequired else (hint, False)
        for name, hint in hints.items()
    }


def admits(wide: Any, narrow: Any) -> bool:  # noqa: ANN401 - types
    """Whether each value of the narrow type is one of the wide type."""
    if wide is Any:  # what values there are is told to type checkers only
        return True
    if get_origin(narrow) in {Union, UnionType}:
        return all(admits(wide, member) for member in get_args(narrow))
    if get_origin(wide) in {Union, UnionType}:
        return any(admits(member, narrow) for member in get_args(wide))
    if get_origin(narrow) is Literal:
        return wide is str or set(get_args(narrow)) <= set(get_args(wide))
    if is_typeddict(narrow):
        return is_typeddict(wide) and wide.__name__ == narrow.__name__
    if get_origin(narrow) is not None:
        pairs = zip(get_args(wide), get_args(narrow), strict=True)
        return get_origin(wide) is get_origin(narrow) and all(admits(*pair) for pair in pairs)
    return wide is narrow


def typed_dicts(module: object) -> dict[str, type]:
    return {name: kind for name, kind in vars(module).items() if is_typeddict(kind)}


def public_objects() -> Iterator[tuple[str, Any]]:
    """Yield each public name with what it stands for, and what the namespaces of a client offer."""
    for module in (
        hubspot_batch,
        bulk,
        sandbox,
        types,
        hubspot_batch_api,
        hubspot_batch_models,
        generated_inputs,
        structs,
    ):
        for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
            yield f"{module.__name__}.{name}", getattr(module, name)
    for client in (HubSpot("t"), AsyncHubSpot("t")):
        for namespace in NAMESPACES:
            yield f"{type(client).__name__}.{namespace}", getattr(client, namespace)
    yield "RefreshToken", RefreshToken
    yield "association_type", association_type


def callables_of(public: Any) -> Iterator[Callable[..., object]]:  # noqa: ANN401 - anything public
    """Yield a public function, or the public methods of a class or an object."""
    if inspect.isfunction(public):
        yield public
    elif not inspect.ismodule(public):
        for name, member in inspect.getmembers_static(public):
            getter = getattr(member, "fget", None) or getattr(member, "func", None)
            function = getter or getattr(member, "__func__", member)
            is_ours = "hubspot_batch" in (getattr(function, "__module__", None) or "")
            is_public = not name.startswith("_") or (name == "__init__" and inspect.isclass(public))
            if inspect.isfunction(function) and is_ours and is_public:
                yield function


def test_every_public_type_can_be_evaluated_at_run_time() -> None:
    evaluated = set()
    for name, public in public_objects():
        if inspect.isclass(public):
            get_type_hints(public, include_extras=True)
        for function in callables_of(public):
            inspect.signature(function, eval_str=True)
            get_type_hints(function, include_extras=True)
            evaluated.add(f"{name}.{function.__name__}")

    assert evaluated >= {
        "HubSpot.orders.create_all",
        "AsyncHubSpot.orders.stream_update",
        "hubspot_batch.HubSpot.__init__",
        "hubspot_batch.validate.validate",
        "hubspot_batch.BulkError.__init__",
        "hubspot_batch.bulk.inputs_from.inputs_from",
    }


@pytest.mark.parametrize(
    "kind", [hubspot_batch.CreateInput, hubspot_batch.UpdateInput, inputs.CreateRow, inputs.UpsertRow]
)
def test_libraries_that_read_types_can_read_those_of_inputs(kind: Any) -> None:  # noqa: ANN401 - a TypedDict
    given = {"id": "7", "properties": {"a": "b", "c": 1.5, "d": ["x"]}}

    assert msgspec.convert(given, kind)["properties"] == given["properties"]
    assert pydantic.TypeAdapter(kind).validate_python(given)["properties"] == given["properties"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "7"}, kind)
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(kind).validate_python({"id": "7"})


# What only a run takes: links by unique properties, and upserts with links.
ROWS = {
    "RecordKey",
    "TargetKey",
    "TypedTarget",
    "AssociationRow",
    "CreateRow",
    "UpsertRow",
    "AssociationPairRow",
}
ALL, GENERATED = typed_dicts(inputs), typed_dicts(generated_inputs)
OURS = {name: kind for name, kind in ALL.items() if name not in ROWS}


def test_each_part_of_an_input_is_typed_here_and_in_the_generated_code() -> None:
    assert ALL.keys() - OURS.keys() == ROWS
    assert list(OURS) == [
        "AssociationTarget",
        "AssociationType",
        "Association",
        "CreateInput",
        "UpdateInput",
        "UpsertInput",
        "RecordId",
        "AssociationInput",
    ]
    bodies = {operation.request_schema for operation in contract.operations().values()} - {None}
    assert GENERATED.keys() - OURS.keys() == bodies


@pytest.mark.parametrize("name", OURS)
def test_an_input_has_the_keys_of_the_generated_one(name: str) -> None:
    ours, theirs = fields_of(OURS[name]), fields_of(GENERATED[name])

    assert {key: optional for key, (_, optional) in ours.items()} == {
        key: optional for key, (_, optional) in theirs.items()
    }


@pytest.mark.parametrize("name", OURS)
def test_an_input_takes_all_values_that_the_generated_one_takes(name: str) -> None:
    ours, theirs = fields_of(OURS[name]), fields_of(GENERATED[name])

    narrower = [key for key, (kind, _) in theirs.items() if not admits(ours[key][0], kind)]

    assert narrower == []


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        (str | int, str, True),
        (str, str | int, False),
        (Mapping[str, str | int], Mapping[str, str], True),
        (Mapping[str, str], Mapping[str, str | int], False),
        (Literal["a", "b"], Literal["a"], True),
        (Literal["a"], Literal["a", "b"], False),
    ],
)
def test_a_type_admits_what_is_in_it(wide: object, narrow: object, expected: bool) -> None:  # noqa: FBT001
    assert admits(wide, narrow) is expected


def operations_of_the_yaml() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_document_in_the_package_is_the_yaml() -> None:
    packaged = dict(contract.document())
    packaged.pop("x-generated")

    assert packaged == DOCUMENT
    assert json.dumps(packaged) == json.dumps(DOCUMENT), "the order differs"


def test_the_operations_are_those_of_the_yaml() -> None:
    assert {
        name: {
            "id": operation.id,
            "tags": [operation.object_type],
            "repeatable": operation.repeatable,
            "parameters": [*operation.path_parameters, *operation.query_parameters],
            "operationId": f"{operation.verb}_{operation.object_type}",
            "path": operation.path,
            "method": operation.method,
            "success": str(operation.success),
            "scopes": set(operation.scopes),
        }
        for name, operation in contract.operations().items()
    } == {
        operation["operationId"]: {
            "id": operation["operationId"],
            "tags": operation["tags"],
            "repeatable": operation.get("x-repeatable", False),
            "parameters": [
                DOCUMENT["components"]["parameters"][each["$ref"].rpartition("/")[2]]["name"]
                for each in operation.get("parameters", [])
            ],
            "operationId": operation["operationId"],
            "path": path,
            "method": method.upper(),
            "success": next(iter(operation["responses"])),
            "scopes": {s for entry in operation["security"] for scopes in entry.values() for s in scopes},
        }
        for path, method, operation in operations_of_the_yaml()
    }


def test_the_request_schemas_are_those_of_the_yaml() -> None:
    bodies = DOCUMENT["components"]["requestBodies"]
    for _, _, operation in operations_of_the_yaml():
        if "requestBody" not in operation:
            assert contract.operation(operation["operationId"]).request_schema is None
            continue
        body = bodies[operation["requestBody"]["$ref"].rpartition("/")[2]]
        schema = contract.operation(operation["operationId"]).request_schema
        assert body["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{schema}"}


def test_the_literal_types_name_what_the_document_holds() -> None:
    assert get_args(contract.OperationId) == tuple(contract.operations())
    others = {"properties", "objects", "associations"}
    assert get_args(contract.ObjectType) == tuple(
        tag["name"] for tag in DOCUMENT["tags"] if tag["name"] not in others
    )
    assert sorted(get_args(contract.ObjectType)) == sorted(NAMESPACES)


def test_the_number_of_inputs_is_that_of_the_document() -> None:
    for operation in contract.operations().values():
        if operation.request_schema is None:
            continue
        schema = DOCUMENT["components"]["schemas"][operation.request_schema]
        assert schema["properties"]["inputs"]["maxItems"] == contract.MAX_INPUTS


CITED = 'docs/behaviour.md, "'


def modules() -> dict[str, str]:
    """The text of each module, by its dotted name below the package; the package itself is ""."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts).removesuffix("__init__").removesuffix(".")] = path.read_text(encoding="utf-8")
    return found


MODULES = modules()
CITING = [name for name, text in MODULES.items() if "docs/behaviour.md," in text]


def test_there_are_citations() -> None:
    assert {"contract._operations", "results", "transport._calls", "transport._settings"} <= set(CITING)


def test_a_citation_names_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", BEHAVIOUR.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for name in CITING:
        text = re.sub(r"\s*\n\s*(#:? )?", " ", MODULES[name])

        cited = re.findall(re.escape(CITED) + r'([^"]+)"', text)

        with case(name):
            assert len(cited) == text.count("docs/behaviour.md,"), f"cite like this: {CITED}Heading"
            assert [heading for heading in cited if heading not in headings] == []


@cache
def called(name: str) -> dict[str, set[str]]:
    """The functions that a module calls, as they are written there, by the last part of their names."""
    functions = (node.func for node in ast.walk(ast.parse(MODULES[name])) if isinstance(node, ast.Call))
    found: dict[str, set[str]] = {}
    for function in functions:
        if isinstance(function, ast.Attribute | ast.Name):
            last = function.attr if isinstance(function, ast.Attribute) else function.id
            found.setdefault(last, set()).add(ast.unparse(function))
    return found


DRIVERS = ["transport._sync", "transport._async"]
SENDING = ["send", "sleep", "request", "post", "put", "patch", "stream"]
# Calls of these names that do not send a request, beside those of a driver.
NOT_SENDING = {
    "bulk._late_links": {"self._sender(target).send"},
    "bulk._delivery": {"parts.send"},
    # It waits for a file.
    "bulk._lock": {"time.sleep"},
    "bulk._run": {"self._sender.send"},
    "bulk._streams": {"self.run.put"},
    "client": {"Driver(self._pool, self._settings).send", "self.stream"},
    "objects": {"self._sender.send", "self._sender.stream"},
}


def test_only_the_drivers_send_or_sleep() -> None:
    # The sandbox is the other side of the wire.
    ours = [name for name in MODULES if not name.startswith("sandbox") and name not in DRIVERS]
    found = {name: {function for last in SENDING for function in called(name).get(last, ())} for name in ours}

    others = {name: calls - {"self._driver.send"} for name, calls in found.items()}

    assert {name: calls for name, calls in others.items() if calls} == NOT_SENDING
    assert all({"send", "sleep"} <= called(name).keys() for name in DRIVERS)
