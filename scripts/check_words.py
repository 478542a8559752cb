"""Finds phrases in code and documentation that have a plainer form.

    python scripts/check_words.py src docs tests README.md

Prints each with its file, its line and advice. The exit code is 1 if there are any. In test files, it reads
comments and docstrings only.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = {".html", ".md", ".py", ".yaml", ".yml"}

# Where the group `fine` matches, the phrase is plain English: there is no such file.
PHRASES = {
    r"(?:\b(?P<fine>there) )?\b(?:is|are|was|were) no (?!longer|more|less|fewer)\w+": "write not, or has no",
    r"\bcannot be[.:;](?!\w)": "say what cannot be done, or that it is invalid",
    r"\bwho(?:so)?ever\b": "name who it is",
    r"\bwhatever\b": "name what it is, or write any",
    r"\bnobody\b": "turn the sentence around, or write no one",
    r"\bof which\b": "make it two sentences",
    r"\bso many\b": "write the number, or this many",
    r"\blikewise\b": "write also, or the same",
    r"\btakes? note\b": "write note, or record",
    r"\bletting go of\b|\blets? go of\b": "write release",
    r"\bin vain\b": "write without success",
}
_BEFORE_A_STATEMENT = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_PATTERNS = [
    (re.compile(phrase.replace(" ", r"[\s#]+"), re.IGNORECASE), advice) for phrase, advice in PHRASES.items()
]


def found_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each phrase of a text: its line, its words and the advice. It may go over the end of a line."""
    for pattern, advice in _PATTERNS:
        for match in pattern.finditer(text):
            if match.groupdict().get("fine"):
                continue
            words = " ".join(match[0].replace("#", " ").split())
            yield text.count("\n", 0, match.start()) + 1, words, advice


def prose_of(file: Path) -> str:
    """Return the text to check. The values of tests may say anything: comments and docstrings are kept."""
    text = file.read_text(encoding="utf-8")
    if not file.name.startswith("test_"):
        return text
    lines = [""] * (text.count("\n") + 1)
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_docstring = token.type == tokenize.STRING and before in _BEFORE_A_STATEMENT
        if is_docstring or token.type == tokenize.COMMENT:
            for number, line in enumerate(token.string.splitlines(), token.start[0] - 1):
                lines[number] += line
        if token.type not in {tokenize.COMMENT, tokenize.NL}:
            before = token.type
    return "\n".join(lines)


def files_in(places: Iterable[str]) -> Iterator[Path]:
    """Yield the files to check: those that are named, and those in folders that are named."""
    for place in map(Path, places):
        if place.is_dir():
            yield from sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES)
        else:
            yield place


def main(places: Iterable[str]) -> int:
    """Print what is found in files and folders, and return the exit code."""
    count = 0
    for file in files_in(places):
        for line, words, advice in sorted(found_in(prose_of(file))):
            print(f'{file}:{line}: "{words}": {advice}')
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
