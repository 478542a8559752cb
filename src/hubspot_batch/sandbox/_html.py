"""Pieces of HTML, made so that no text gets into a page unescaped."""

import re
from html import escape
from string import Template
from typing import NewType

Html = NewType("Html", str)
"""Markup. Only this module makes it, so a type checker finds a text that nobody escaped."""

NOTHING = Html("")

_CODE = re.compile("`([^`]+)`")
_BLANK_LINES = re.compile(r"\n\s*\n")
_NOT_IN_ANCHORS = re.compile(r"[^\w.-]")
_WHOLE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
$style</style>
</head>
$body
</html>
""")


def whole(title: str, style: str, body: Html) -> str:
    """Return a page.

    Args:
        title: What a browser calls it.
        style: Its style sheet.
        body: The element `body`.
    """
    return _WHOLE.substitute(title=escape(title), style=style, body=body)


def escaped(text: str) -> Html:
    """Return a text as it is to be read."""
    return Html(escape(text))


def join(*parts: Html, by: str = "") -> Html:
    """Return pieces one after the other.

    Args:
        parts: The pieces.
        by: A text to stand between them.
    """
    return Html(escape(by).join(parts))


def tag(name: str, *content: Html, **attributes: str) -> Html:
    """Return an element. Its attributes are named as in Python: `class_`, `aria_label`."""
    names = (key.rstrip("_").replace("_", "-") for key in attributes)
    written = "".join(
        f' {key}="{escape(value)}"' for key, value in zip(names, attributes.values(), strict=True)
    )
    return Html(f"<{name}{written}>{''.join(content)}</{name}>")


def code(text: str) -> Html:
    """Return a text that programs read."""
    return tag("code", escaped(text))


def link(text: str, target: str) -> Html:
    """Return a link to an anchor of the same page."""
    return tag("a", escaped(text), href=f"#{target}")


def anchor(kind: str, name: str) -> str:
    """Return what a link to a thing of this kind and name leads to."""
    return f"{kind}-{_NOT_IN_ANCHORS.sub('-', name)}"


def inline(text: str) -> Html:
    """Return a text on one line, with what stands in backticks as code."""
    return Html(_CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()))))


def prose(text: str) -> Html:
    """Return a text in paragraphs, which empty lines part."""
    return join(*(tag("p", inline(part)) for part in _BLANK_LINES.split(text.strip()) if part))


def listed(*items: Html) -> Html:
    """Return a list, or nothing where there are no items."""
    return tag("ul", *(tag("li", item) for item in items)) if items else NOTHING


def details(summary: Html, *content: Html) -> Html:
    """Return content that is hidden until a reader asks for it."""
    return tag("details", tag("summary", summary), *content)


def titled(level: str, title: str, *content: Html) -> Html:
    """Return content under a heading, or nothing where there is no content."""
    return join(tag(level, escaped(title)), *content) if any(content) else NOTHING
