# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

"""Contains all the data models used in inputs/outputs"""

from .association import Association
from .association_category import AssociationCategory
from .association_target import AssociationTarget
from .association_type import AssociationType
from .batch_create_request import BatchCreateRequest
from .batch_error import BatchError
from .batch_reply import BatchReply
from .batch_update_request import BatchUpdateRequest
from .context import Context
from .create_input import CreateInput
from .error_detail import ErrorDetail
from .error_reply import ErrorReply
from .known_batch_status import KnownBatchStatus
from .links import Links
from .property_histories import PropertyHistories
from .property_values import PropertyValues
from .property_version import PropertyVersion
from .record import Record
from .record_properties import RecordProperties
from .record_warning import RecordWarning
from .sub_category_object import SubCategoryObject
from .update_input import UpdateInput

__all__ = (
    "Association",
    "AssociationCategory",
    "AssociationTarget",
    "AssociationType",
    "BatchCreateRequest",
    "BatchError",
    "BatchReply",
    "BatchUpdateRequest",
    "Context",
    "CreateInput",
    "ErrorDetail",
    "ErrorReply",
    "KnownBatchStatus",
    "Links",
    "PropertyHistories",
    "PropertyValues",
    "PropertyVersion",
    "Record",
    "RecordProperties",
    "RecordWarning",
    "SubCategoryObject",
    "UpdateInput",
)
