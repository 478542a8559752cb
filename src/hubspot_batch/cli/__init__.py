"""The command line. It reads arguments, draws progress and sets exit codes; the library does the work.

Exit codes: 0 all is well; 1 the configuration or the input cannot be used; 2 the command is written wrongly.
"""

import sys


def main() -> None:
    """Run the command line, the entry point of `hubspot-batch`."""
    try:
        from hubspot_batch.cli._commands import commands  # noqa: PLC0415 - it needs the extra `cli`
    except ModuleNotFoundError as error:
        sys.exit(f"hubspot-batch: {error.name} is missing; install it with: pip install 'hubspot-batch[cli]'")
    commands(prog_name="hubspot-batch")
