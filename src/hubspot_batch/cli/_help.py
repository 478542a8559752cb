"""Help of commands: options in groups, examples, and lines that fit the terminal."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from hubspot_batch.cli._console import quoted

_GROUPS: Mapping[str, str] = {
    "The file": "mapping format encoding delimiter map only drop set",
    "Its cells": "decimal date_format timezone null clear_empty",
    "Records and links": (
        "id_property unique_property existing settle_after assume_unique associate from_column to_column "
        "link_type properties history archived"
    ),
    "The run": "dry_run definitions look sandbox new journal name keep_going concurrency",
    "The account": "token_file base_url allow_http api_version share_quota",
    "Output": "output results report as_json color",
}
_GROUP_OF = {name: title for title, names in _GROUPS.items() for name in names.split()}
EXAMPLES: Mapping[str, Sequence[str]] = {
    "create": (
        "create orders orders.csv --dry-run",
        "create orders export.csv --mapping shop.toml",
        "create orders orders.csv --map hs_order_name=Number --decimal , --date-format dd.mm.yyyy",
        "create line-items items.csv --associate order=number@shop_number",
    ),
    "update": ("update orders changes.csv --id-property shop_number",),
    "upsert": ("upsert orders export.csv --id-property shop_number --mapping shop.toml",),
    "read": ("read orders numbers.csv --id-property shop_number --properties hs_total_price",),
    "archive": ("archive carts old.csv --dry-run",),
    "associate": ("associate line-items orders pairs.csv --from item_id --to order_id",),
    "mapping": ("mapping orders export.csv --output shop.toml",),
    "validate": ("validate create orders orders.jsonl",),
    "properties": ("properties orders --output orders.json",),
    "results": ("results latest --rejected --output rejected.csv",),
    "runs": ("runs", "runs --older-than 30d --dry-run"),
}
# Options and their help stand beside each other if there is room for both.
_BESIDE, _BELOW = 30, 4
_NARROW = 60
_OTHERS = "Options"
# So few need no groups.
_FEW = 10
_NARROWEST = 20


class Command(click.Command):
    """A command whose help has its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of a group together."""
        known = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        titles = {option: _GROUP_OF.get(option.name or "", _OTHERS) for option in known}
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in (*_GROUPS, _OTHERS)}
        for option, title in titles.items():
            shown = filter(None, [option.get_help_record(ctx)])
            groups[title if len(known) > _FEW else _OTHERS].extend(shown)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records, col_max=_BESIDE if formatter.width >= _NARROW else _BELOW)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each as one line that can be copied."""
        super().format_epilog(ctx, formatter)
        if lines := EXAMPLES.get(self.name or ""):
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"  hubspot-batch {line}\n")


def hint_for(error: click.NoSuchOption, arguments: Sequence[str]) -> str | None:
    """Return what to write for a file whose name begins like an option; None if there is not such a file."""
    name = next(
        (text for text in arguments if text.startswith(error.option_name) and Path(text).is_file()), None
    )
    return None if name is None else f"for the file, write {quoted(f'./{name}')}"


def width_of_terminal() -> int | None:
    """Return how wide help is in a narrow terminal; None leaves that to click, which needs 50 columns."""
    columns = shutil.get_terminal_size().columns
    return max(columns - 2, _NARROWEST) if columns < _NARROW else None
