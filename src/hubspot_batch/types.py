"""The types of what a client takes, to annotate with: inputs, sources of rows, sources of tokens, namespaces.

What a client returns is in `hubspot_batch`, and what a run returns is in `hubspot_batch.bulk`.

Example:
    ::

        from hubspot_batch.types import CreateSource, Objects

        def push(orders: Objects, rows: CreateSource) -> None:
            orders.create_all(rows).raise_for_errors()
"""

from hubspot_batch_api import AuthenticatedClient

from hubspot_batch.bulk._options import Existing
from hubspot_batch.bulk._sources import (
    ArrowTable,
    AsyncCreateSource,
    AsyncCursor,
    AsyncIdSource,
    AsyncPairSource,
    AsyncUpdateSource,
    AsyncUpsertSource,
    CreateSource,
    Cursor,
    FlatRow,
    IdSource,
    KeyedRow,
    PairSource,
    UpdateSource,
    UpsertSource,
)
from hubspot_batch.contract._inputs import (
    AnyAssociationInput,
    AnyCreateInput,
    AnyModel,
    AnyUpdateInput,
    AnyUpsertInput,
    Association,
    AssociationInput,
    AssociationPairRow,
    AssociationRow,
    AssociationTarget,
    AssociationType,
    CreateInput,
    CreateRow,
    RecordKey,
    TargetKey,
    TypedTarget,
    UpdateInput,
    UpsertInput,
    UpsertRow,
)
from hubspot_batch.contract._operations import ObjectType, OperationId, Verb
from hubspot_batch.contract._values import PropertyValue
from hubspot_batch.objects import (
    Associations,
    AsyncAssociations,
    AsyncObjects,
    AsyncReadOnlyObjects,
    Objects,
    ReadOnlyObjects,
)
from hubspot_batch.transport._quota import AttemptReport, Pacer
from hubspot_batch.transport._retries import FailedAttempt, RetryPolicy
from hubspot_batch.transport._settings import AsyncTokenSource, TokenSource

__all__ = [
    "AnyAssociationInput",
    "AnyCreateInput",
    "AnyModel",
    "AnyUpdateInput",
    "AnyUpsertInput",
    "ArrowTable",
    "Association",
    "AssociationInput",
    "AssociationPairRow",
    "AssociationRow",
    "AssociationTarget",
    "AssociationType",
    "Associations",
    "AsyncAssociations",
    "AsyncCreateSource",
    "AsyncCursor",
    "AsyncIdSource",
    "AsyncObjects",
    "AsyncPairSource",
    "AsyncReadOnlyObjects",
    "AsyncTokenSource",
    "AsyncUpdateSource",
    "AsyncUpsertSource",
    "AttemptReport",
    "AuthenticatedClient",
    "CreateInput",
    "CreateRow",
    "CreateSource",
    "Cursor",
    "Existing",
    "FailedAttempt",
    "FlatRow",
    "IdSource",
    "KeyedRow",
    "ObjectType",
    "Objects",
    "OperationId",
    "Pacer",
    "PairSource",
    "PropertyValue",
    "ReadOnlyObjects",
    "RecordKey",
    "RetryPolicy",
    "TargetKey",
    "TokenSource",
    "TypedTarget",
    "UpdateInput",
    "UpdateSource",
    "UpsertInput",
    "UpsertRow",
    "UpsertSource",
    "Verb",
]
