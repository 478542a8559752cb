"""Codes of HubSpot and of this package in words, each with what to do. They hold no value."""

from collections.abc import Mapping

from hubspot_batch.bulk import Report

_INVALID = "INVALID_INPUT"
WORDS: Mapping[str, str] = {
    "INVALID_LONG": "not a number or a time that HubSpot takes; correct it, or say with --decimal or "
    "--date-format how it is written",
    "INVALID_INTEGER": "not a whole number that HubSpot takes, the id of a user for example; correct it",
    "INVALID_DATE": "not a day: HubSpot wants midnight in UTC; write 2026-09-01",
    "INVALID_OPTION": "not an option of the property; `hubspot-batch properties` lists them",
    "INVALID_MIN_NUMBER": "smaller than the property allows; correct it",
    "INVALID_MAX_LENGTH": "longer than the property allows; shorten it",
    "MISSING_REQUIRED_PROPERTY": "needed, and missing; fill it, or set it for all rows with --set",
    "PROPERTY_DOESNT_EXIST": "not a property of the account; name the right one with --map, or leave the "
    "column out with --drop",
    "READ_ONLY_VALUE": "written by HubSpot only; leave the column out with --drop",
    "CONFLICTING_UNIQUE_VALUE": "another record has this value; update that, or upsert",
    "UNIQUE_VALUE_CONFLICT": "another record has this value; update that, or upsert",
    "CONFLICT": "another record has this value; update that, or upsert",
    "OBJECT_NOT_FOUND": "there is not such a record, or it is archived; correct the id",
    "TARGET_NOT_FOUND": "the record to link with is not there; push it first, or correct the key",
    "NO_REPLY": "HubSpot did not answer; look whether the record is there before you push the row again",
    "NOT_IN_REPLY": "HubSpot did not say what became of it; look whether the record is there",
    "INTERRUPTED": "the run was stopped while it was on its way; look whether the record is there",
}
"""What is wrong, and what to do, by code."""


def words_for(reason: str, report: Report) -> str | None:
    """Return what a reason of a report means; None if that is not known.

    Args:
        reason: One of its reasons: a code, perhaps behind the name of a property.
        report: The report.
    """
    code = reason.rpartition(": ")[2]
    if code != _INVALID:
        return WORDS.get(code)
    # Our own words hold no value, and the first row that they are about shows them.
    found = (
        f"row {outcome.index + 1}: {own.message}"
        for outcome in report.outcomes
        if outcome.category == _INVALID
        for own in outcome.reasons
        if str(own) == reason
    )
    return next(found, None)
