"""The check of the built documentation finds what is wrong with a page."""

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="needs the dependency group browser")

import _chromium
import check_site

pytestmark = pytest.mark.skipif(_chromium.COMMAND is None, reason="no Chromium is installed")

GOOD = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><title>Page</title><h1>Page</h1>"


PROBLEMS = {
    "elsewhere": (GOOD + "<img src=http://127.0.0.1:9/logo.png>", "it asks for http://127.0.0.1:9/logo.png"),
    "error": (GOOD + "<script>throw Error('gone')</script>", "Error: gone"),
    "wide": (GOOD + "<div style='width: 500px'>wide</div>", "at 400 pixels, it is 108 pixels too wide"),
    "empty": (GOOD.replace("<h1>Page</h1>", ""), "it has no heading"),
}


def test_pages_that_are_as_they_should_be_pass(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(GOOD, encoding="utf-8")

    assert check_site.main(tmp_path) == 0


def test_what_is_wrong_with_a_page_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, (page, _) in PROBLEMS.items():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")

    assert check_site.main(tmp_path) == 1
    told = capsys.readouterr().out
    for name, (_, problem) in PROBLEMS.items():
        assert re.search(f"^{name}.html: .*{problem}", told, re.MULTILINE), told
