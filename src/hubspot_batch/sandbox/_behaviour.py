"""What is not known of HubSpot, as options (docs/behaviour.md, "Not known")."""

from msgspec import Struct

from hubspot_batch.contract._operations import versions
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._bodies import taken_value_forms
from hubspot_batch.sandbox._object_types import SCHEMAS
from hubspot_batch.sandbox._options import suggestion


class Behaviour(Struct, frozen=True, kw_only=True):
    """How an account behaves where the sources are silent, uncertain, or contradict each other.

    Each default is what is hardest on a client. The names in quotes are headings of docs/behaviour.md.

    Attributes:
        shuffle: Whether ids and results are in an order of their own ("Order of results").
        echo_trace_ids: Whether results carry the trace id of their input ("Trace ids").
        normalise_values: Whether values are stored in HubSpot's form, `9.00` for `9` ("Property values").
        merge_identical: The object types whose identical inputs become one record ("Merged line items").
        trace_id_distinguishes: Whether inputs that differ only in their trace id stay apart there.
        partial_update_with_trace_ids: Whether a bad property in an update costs only its own input where
            each has a unique trace id ("Atomicity").
        silent_unknown_ids: Whether an id of an update that is not a number changes nothing and is not
            reported; else it is among those that were not found ("Update ids").
        taken_values: The forms in which a unique value is refused that another record has, in turn; all that
            are known if empty. `sandbox/taken_values.json` has them ("Taken values").
        check_targets: Whether an association with a record that does not exist is refused
            ("Associations").
        accept_empty_inputs: Whether `inputs: []` is a success without results, else a 400
            ("Bodies without inputs").
        form_in_all_versions: Whether what the create form of the account requires is required by versions
            before 2026-09, too ("Versions").
        without_207: The versions in which failures stand in the plain reply, `("2026-09",)` for what
            HubSpot published of that version first ("Versions").
        index_delay: Seconds until a record that was written is found by its unique properties, and by a
            search. Its id finds it at once, and a second record with the same value is refused at once
            ("Reads").
        max_inputs_with_history: How many records one read returns with earlier values ("Reads").
        max_association_inputs: How many associations one request creates ("Associations
            after the fact").
        default_properties: Whether a list, a single read and a search return only a few properties where
            they name none; else all ("Single records").
        refuse_missing_deletes: Whether a DELETE of a record that does not exist is a 404; else a 204
            ("Single records").
        searches_per_second: How many searches an account takes in a second; None for any number ("Search").
        count_searches: Whether searches also count towards the other quotas ("Search").
        other_finds_empty: Whether `NEQ` and `NOT_IN` find records without a value ("Search").

    Raises:
        ConfigurationError: If a name or a number is invalid.
    """

    shuffle: bool = True
    echo_trace_ids: bool = False
    normalise_values: bool = True
    merge_identical: tuple[str, ...] = ("line_items",)
    trace_id_distinguishes: bool = False
    partial_update_with_trace_ids: bool = False
    silent_unknown_ids: bool = True
    taken_values: tuple[str, ...] = ()
    check_targets: bool = True
    accept_empty_inputs: bool = True
    form_in_all_versions: bool = True
    without_207: tuple[str, ...] = ()
    index_delay: float = 0.0
    max_inputs_with_history: int = 50
    max_association_inputs: int = 100
    default_properties: bool = True
    refuse_missing_deletes: bool = True
    searches_per_second: int | None = 5
    count_searches: bool = True
    other_finds_empty: bool = False

    def __post_init__(self) -> None:
        for what, names, known in (
            ("form {!r} of a taken value", self.taken_values, [form.name for form in taken_value_forms()]),
            ("object type {!r}", self.merge_identical, SCHEMAS),
            ("version {!r}", self.without_207, versions()),
        ):
            for name in names:
                if name not in known:
                    raise ConfigurationError(f"there is no {what.format(name)}{suggestion(name, known)}")
        for number in ("index_delay", "max_inputs_with_history", "max_association_inputs"):
            if not getattr(self, number) >= 0:
                raise ConfigurationError(f"{number} cannot be {getattr(self, number):g}; choose 0 or more")
        if self.searches_per_second is not None and self.searches_per_second < 1:
            raise ConfigurationError("searches_per_second is at least 1, or None for any number")
