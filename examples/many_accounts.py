"""Push the orders of many accounts, each with its own token, quota and journal, over one pool of connections.

    python examples/many_accounts.py FOLDER [--redis URL] [--unique-property NAME] [--base-url URL]

FOLDER holds a folder for each account, by the name of the account. In it are `token`, and `orders.csv` with
HubSpot's property names in its header. The journal is written beside them, so the same command goes on where
it stopped. An account that cannot go on does not stop the others.

Processes on several machines may serve the same accounts, each with files of its own: name a Redis then, so
that they keep to one quota for each account.

Exit codes: 0 all rows are done, 1 no account in the folder, 4 some rows are not done, 5 an account stopped.
"""

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hubspot_batch import AsyncHubSpot, CreateInput, HubSpotBatchError, Quota, printable
from hubspot_batch.bulk import BulkError, Report
from hubspot_batch.redis_quota import RedisQuota

# Large accounts take turns with all others: each has a few requests under way, and a place among these.
ACCOUNTS_AT_A_TIME = 50
REQUESTS_OF_AN_ACCOUNT = 4


class Result(NamedTuple):
    """What became of an account.

    Attributes:
        account: Its name.
        report: What became of its rows; None if its run did not begin.
        problem: Why it stopped; None if it did not.
    """

    account: str
    report: Report | None
    problem: HubSpotBatchError | OSError | None


async def push_all(folders: list[Path], options: argparse.Namespace) -> list[Result]:
    """Push all accounts, and return what became of each."""
    places = asyncio.Semaphore(ACCOUNTS_AT_A_TIME)
    # The pool needs a token of its own, and sends nothing with it.
    async with AsyncHubSpot("none", base_url=options.base_url) as pool:

        async def in_turn(folder: Path) -> Result:
            async with places:
                result = await push(pool, folder, options)
                print(line(result), flush=True)
                return result

        return await asyncio.gather(*map(in_turn, folders))


async def push(pool: AsyncHubSpot, folder: Path, options: argparse.Namespace) -> Result:
    """Push the orders of one account."""

    def token() -> str:
        # Read when it is needed, and again when HubSpot says that it has expired.
        return (folder / "token").read_text(encoding="utf-8").strip()

    try:
        quota = RedisQuota(options.redis, name=folder.name) if options.redis else Quota()
        hub = pool.with_options(access_token=token, quota=quota)
        report = await hub.orders.create_all(
            rows(folder / "orders.csv"),
            journal=folder / "orders.run",
            account=folder.name,
            concurrency=REQUESTS_OF_AN_ACCOUNT,
            unique_property=options.unique_property,
            existing="keep" if options.unique_property else "reject",
        )
    except BulkError as error:
        return Result(folder.name, error.report, error)
    except (HubSpotBatchError, OSError) as error:
        return Result(folder.name, None, error)
    return Result(folder.name, report, None)


def rows(path: Path) -> Iterator[CreateInput]:
    """Yield the orders of a file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield {"properties": dict(row)}


def line(result: Result) -> str:
    """Return a line about an account."""
    report = result.report
    counts = (
        f"{report.done} done, {report.rejected} rejected, {report.unknown} unknown" if report else "not begun"
    )
    problem = f"; STOPPED: {result.problem}" if result.problem else ""
    return printable(f"{result.account}: {counts}{problem}")


def main() -> int:
    """Run the command line, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--redis", help="URL of the Redis that holds the quotas; by default, this process does"
    )
    parser.add_argument("--unique-property", help="a property that is unique in all accounts")
    parser.add_argument("--base-url", default="https://api.hubapi.com")
    options = parser.parse_args()
    folders = sorted(path.parent for path in options.folder.glob("*/orders.csv"))
    if not folders:
        print(f"{options.folder}: no account: a folder with orders.csv and token is one", file=sys.stderr)
        return 1
    results = asyncio.run(push_all(folders, options))
    if any(result.problem for result in results):
        return 5
    return 4 if any(one.report and one.report.rejected + one.report.unknown for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
