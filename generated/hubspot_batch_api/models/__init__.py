# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

"""Contains all the data models used in inputs/outputs"""

from .associated_pair import AssociatedPair
from .association import Association
from .association_category import AssociationCategory
from .association_input import AssociationInput
from .association_reply import AssociationReply
from .association_target import AssociationTarget
from .association_type import AssociationType
from .batch_archive_request import BatchArchiveRequest
from .batch_association_request import BatchAssociationRequest
from .batch_create_request import BatchCreateRequest
from .batch_error import BatchError
from .batch_read_request import BatchReadRequest
from .batch_reply import BatchReply
from .batch_update_request import BatchUpdateRequest
from .batch_upsert_request import BatchUpsertRequest
from .context import Context
from .create_input import CreateInput
from .data_sensitivity import DataSensitivity
from .error_detail import ErrorDetail
from .error_reply import ErrorReply
from .known_batch_status import KnownBatchStatus
from .links import Links
from .modification_metadata import ModificationMetadata
from .object_type import ObjectType
from .property_definition import PropertyDefinition
from .property_definitions import PropertyDefinitions
from .property_histories import PropertyHistories
from .property_option import PropertyOption
from .property_values import PropertyValues
from .property_version import PropertyVersion
from .record import Record
from .record_id import RecordId
from .record_properties import RecordProperties
from .record_warning import RecordWarning
from .sub_category_object import SubCategoryObject
from .target_type import TargetType
from .update_input import UpdateInput
from .upsert_input import UpsertInput

__all__ = (
    "AssociatedPair",
    "Association",
    "AssociationCategory",
    "AssociationInput",
    "AssociationReply",
    "AssociationTarget",
    "AssociationType",
    "BatchArchiveRequest",
    "BatchAssociationRequest",
    "BatchCreateRequest",
    "BatchError",
    "BatchReadRequest",
    "BatchReply",
    "BatchUpdateRequest",
    "BatchUpsertRequest",
    "Context",
    "CreateInput",
    "DataSensitivity",
    "ErrorDetail",
    "ErrorReply",
    "KnownBatchStatus",
    "Links",
    "ModificationMetadata",
    "ObjectType",
    "PropertyDefinition",
    "PropertyDefinitions",
    "PropertyHistories",
    "PropertyOption",
    "PropertyValues",
    "PropertyVersion",
    "Record",
    "RecordId",
    "RecordProperties",
    "RecordWarning",
    "SubCategoryObject",
    "TargetType",
    "UpdateInput",
    "UpsertInput",
)
