"""Whether the properties that name the records of a run are unique, as the account's definitions say."""

import difflib
from collections.abc import Mapping, Sequence

from hubspot_batch.bulk._options import Task
from hubspot_batch.bulk._rows import Row
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ApiError, ConfigurationError, PermissionDeniedError
from hubspot_batch.results import PropertyDefinition
from hubspot_batch.transport._definitions import Definitions, is_final

_LIST = "list_properties"
_TAKE_MY_WORD = "say assume_unique=True (--assume-unique) if you know that it is unique"
# Keys even if their definitions do not say so (docs/behaviour.md, "Property definitions").
_KEYS = frozenset({("contacts", "email")})


class UniqueNames:
    """Looks up each property that names records once, before a row that needs it leaves.

    Args:
        task: The operation and its options.
        definitions: The property definitions of the account.
    """

    def __init__(self, task: Task, definitions: Definitions) -> None:
        self._task = task
        self._definitions = definitions
        self._found_unique: set[tuple[str, str]] = set()
        # Where a run is to go on in spite of such a mistake, HubSpot refuses the rows that make it.
        self._rows_name_some = "idProperty" in task.operation.input_keys and not task.keep_going

    async def problem(self, rows: Sequence[Row]) -> ConfigurationError | None:
        """Return why a property that the options or rows name cannot be used; None if all can be.

        Raises:
            Exception: If the definitions cannot be had for now.
        """
        task = self._task
        if task.assume_unique:
            return None
        object_type = str(task.arguments.get("objectType", task.operation.object_type))
        names = {(object_type, name) for name in (task.unique_property, task.id_property) if name is not None}
        if self._rows_name_some:
            names |= {(object_type, row.wire["idProperty"]) for row in rows if "idProperty" in row.wire}
        linked = () if task.resolves else (row for row in rows if row.links)
        targets = {(key.object_type, key.property) for row in linked for _, key in row.links}
        writes = task.operation.verb in {"create", "upsert"}
        for name in sorted((names | targets) - self._found_unique):
            if (problem := await self._problem_with(*name, writes=writes and name in names)) is not None:
                return problem
        self._found_unique |= names | targets
        return None

    async def _problem_with(self, object_type: str, name: str, *, writes: bool) -> ConfigurationError | None:
        try:
            definitions = await self._definitions.of(object_type)
        except ApiError as error:
            if not is_final(error):
                raise
            problem = ConfigurationError(_not_readable(name, object_type, error))
            problem.__cause__ = error
            return problem
        fault = fault_of_key(name, object_type, definitions, writes=writes)
        return None if fault is None else ConfigurationError(fault)


def fault_of_key(
    name: str, object_type: str, definitions: Mapping[str, PropertyDefinition], *, writes: bool
) -> str | None:
    """Return why the values of a property cannot name records, and which properties can; None if they can.

    Args:
        name: The property.
        object_type: What has the property.
        definitions: The definitions of that object type.
        writes: Whether its values are written, not only looked up.
    """
    if (object_type, name) in _KEYS:
        return None
    definition = definitions.get(name)
    if definition is None or definition.archived:
        problem = f"{_title(object_type)} have no property {name!r} in this account"
    elif not definition.has_unique_value:
        problem = f"the account does not hold {name} unique, so it cannot name a record"
    elif writes and definition.read_only:
        problem = f"{name} is read-only, so rows cannot have it"
    else:
        return None
    keys = unique_names(object_type, definitions)
    # Names of properties are in small letters.
    close = difflib.get_close_matches(name.strip().lower(), keys, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{problem}; {hint}{_remedy(object_type, keys)}"


def unique_names(object_type: str, definitions: Mapping[str, PropertyDefinition]) -> list[str]:
    """Return the properties whose values can name records and be written, in the order of the alphabet."""
    unique = {
        name
        for name, definition in definitions.items()
        if definition.has_unique_value and not definition.read_only and not definition.archived
    }
    return sorted(unique | {name for kind, name in _KEYS if kind == object_type})


def _remedy(object_type: str, keys: list[str]) -> str:
    if keys:
        return f"unique properties of {_title(object_type)}: {', '.join(keys)}"
    return (
        f"{_title(object_type)} have no unique property that can be written; make one in HubSpot: a property "
        "can be made unique only when it is created"
    )


def _not_readable(name: str, object_type: str, error: ApiError) -> str:
    if isinstance(error, PermissionDeniedError):
        scopes = " or ".join(_scopes_for(object_type))
        return (
            f"the token may not read the property definitions of {_title(object_type)}, which tell whether "
            f"{name} is unique; give it the scope {scopes}, or {_TAKE_MY_WORD}"
        )
    return (
        f"the property definitions of {_title(object_type)}, which tell whether {name} is unique, cannot be "
        f"read: {error}; mend that, or {_TAKE_MY_WORD}"
    )


def _scopes_for(object_type: str) -> list[str]:
    """Return the scopes for the definitions of an object type; one is enough."""
    known = contract.operation(_LIST).scopes
    own = [scope for scope in known if _without_joints(object_type) in _without_joints(scope)]
    return own or [*known]


def _without_joints(name: str) -> str:
    return name.replace("_", "")


def _title(object_type: str) -> str:
    return object_type.replace("_", " ")
