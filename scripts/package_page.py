"""Makes the links of README.md absolute for the page of the package, where relative ones lead nowhere.

Hatchling runs this in every build. It takes the address from `Repository` below `[project.urls]` in
pyproject.toml. Without one, the links stay as they are; `scripts/check_wheel.py --release` refuses such a
wheel.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE_LINK = re.compile(r"\]\((?!#|[a-z]+:)")


def page(readme: str, repository: str | None, version: str) -> str:
    """Return a README with links to the files of a version in a repository."""
    return RELATIVE_LINK.sub(f"]({repository}/blob/v{version}/", readme) if repository else readme


class PackagePage(MetadataHookInterface):  # type: ignore[misc]  # has no types where it is not installed
    """Fills in the field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Change the metadata of the project."""
        readme = Path(self.root, "README.md").read_text("utf-8")
        text = page(readme, metadata.get("urls", {}).get("Repository"), metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
