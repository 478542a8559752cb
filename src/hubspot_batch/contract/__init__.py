"""The OpenAPI document at run time: its operations, and inputs and values that follow it.

What stands here is for code that turns data of its own into inputs, as the command line does.
"""

from hubspot_batch.contract._associations import association_type, link_type, object_type_of
from hubspot_batch.contract._operations import (
    MAX_INPUTS,
    Operation,
    document,
    operation,
    operations,
)
from hubspot_batch.contract._validation import is_unicode, name_of, validate
from hubspot_batch.contract._values import Problem, Unreadable, encode_value

__all__ = [
    "MAX_INPUTS",
    "Operation",
    "Problem",
    "Unreadable",
    "association_type",
    "document",
    "encode_value",
    "is_unicode",
    "link_type",
    "name_of",
    "object_type_of",
    "operation",
    "operations",
    "validate",
]
