"""Takes two features that stand in one file apart again.

Commit A came before commit B. Where the tokens that A put in still stand in B's version, and B changed nothing inside
them, that version minus A's edits is what B would have written without A, and minus both edits what both began with.
The version itself is then one right merge.
"""

import difflib
import functools
import re
import subprocess
import tempfile
from pathlib import Path

TOKEN = re.compile(rb"\n|[ \t]+|\w+|[^\w\s]|\r")
HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
MOST_COMPARED = 100_000  # pairs of tokens of two runs of lines; longer runs replace each other whole
ALIKE = 0.5  # lines less alike than this share no tokens: one replaced the other


@functools.lru_cache(maxsize=256)
def tokens(text):
    """The text in words, spaces, signs and ends of lines; nobody changes the list."""
    return TOKEN.findall(text)


@functools.lru_cache(maxsize=4096)
def line_hunks(old, new):
    """(old start, old end, new start, new end) of git's histogram line diff, counted from 0."""
    if old == new:
        return []
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in (("old", old), ("new", new)):
            path = Path(folder, name)
            path.write_bytes(text)
            paths.append(str(path))
        out = subprocess.run(
            ["git", "diff", "--no-index", "--text", "--no-color", "--no-ext-diff", "-U0", "--histogram", *paths],
            capture_output=True, cwd=folder).stdout
    hunks = []
    for match in HUNK.finditer(out):
        start, count, new_start, new_count = (1 if part is None else int(part) for part in match.groups())
        start -= count > 0
        new_start -= new_count > 0
        hunks.append((start, start + count, new_start, new_start + new_count))
    return hunks


@functools.lru_cache(maxsize=256)
def line_starts(text):
    """The number of tokens before each line, and in all."""
    found = tokens(text)
    starts = [0, *(place for place, token in enumerate(found, 1) if token == b"\n")]
    return starts if starts[-1] == len(found) else [*starts, len(found)]


@functools.lru_cache(maxsize=4096)
def token_hunks(old, new):
    """As `line_hunks`, in tokens; lines that were rewritten in part count only with the part."""
    old_at, new_at = line_starts(old), line_starts(new)
    hunks = []
    for start, end, new_start, new_end in line_hunks(old, new):
        old_tokens = tokens(old)[old_at[start]:old_at[end]]
        new_tokens = tokens(new)[new_at[new_start]:new_at[new_end]]
        o, n = old_at[start], new_at[new_start]
        small = 0 < len(old_tokens) * len(new_tokens) < MOST_COMPARED
        matcher = difflib.SequenceMatcher(None, old_tokens, new_tokens, autojunk=False)
        if small and matcher.ratio() >= ALIKE:
            for kind, i, j, k, m in matcher.get_opcodes():
                if kind != "equal":
                    hunks.append((o + i, o + j, n + k, n + m))
        else:
            hunks.append((o, o + len(old_tokens), n, n + len(new_tokens)))
    return hunks


@functools.lru_cache(maxsize=64)
def matching(old_count, hunks):
    """For each token of the old text where it stands in the new one, or None."""
    result, old, new = [], 0, 0
    for start, end, new_start, new_end in hunks:
        result.extend(range(new, new + start - old))
        result.extend([None] * (end - start))
        old, new = end, new_end
    result.extend(range(new, new + old_count - old))
    return result


def edits_of_first(before, first, parent, second):
    """A's edits in the coordinates of B's version: (start, end, the tokens before A), or None."""
    hunks = token_hunks(before, first)
    count = len(tokens(first))
    to_parent = matching(count, tuple(token_hunks(first, parent)))
    to_second = matching(len(tokens(parent)), tuple(token_hunks(parent, second)))
    old = tokens(before)
    edits = []
    for start, end, new_start, new_end in hunks:
        # An insertion is its own tokens; a deletion is the place between the tokens beside it.
        inside = range(new_start, new_end) if new_end > new_start else range(max(new_start - 1, 0), new_start + 1)
        between = [to_parent[index] for index in inside if index < count]
        places = [None if place is None else to_second[place] for place in between]
        if any(place is None for place in places):
            return None
        if any(right != left + 1 for left, right in zip(places, places[1:])):
            return None
        if new_end > new_start:
            at, stop = places[0], places[-1] + 1
        else:
            at = stop = places[-1] if new_start < count else len(tokens(second))
        edits.append((at, stop, old[start:end]))
    return edits


def without(text, edits):
    """The text with the edits taken back."""
    parts, at = [], 0
    all_tokens = tokens(text)
    for start, end, old in sorted(edits, key=lambda edit: edit[:2]):
        parts += all_tokens[at:start] + old
        at = end
    return b"".join(parts + all_tokens[at:])


def split_file(before, first, parent, second):
    """(base, ours, theirs) of a file at A's parent, A, B's parent and B, or None where the two cannot be told apart.

    None as a text is a file that is not there.
    """
    if b"\0" in b"".join(text or b"" for text in (before, first, parent, second)):
        return None
    if before == first:
        return parent, parent, second
    if first is None or second is None or parent is None:
        return None
    if before is None and first == parent:
        return (None, first, None) if parent == second else None
    first_edits = edits_of_first(before or b"", first, parent, second)
    if first_edits is None:
        return None
    old = tokens(parent)
    second_edits = [(start, end, old[i:j]) for i, j, start, end in token_hunks(parent, second)]
    both = sorted(first_edits + second_edits, key=lambda edit: edit[:2])
    for left, right in zip(both, both[1:]):
        touching = left[1] == right[0]
        if left[1] > right[0] or touching and (left[0] == left[1] or right[0] == right[1]):
            return None
    base, ours, theirs = without(second, both), without(second, second_edits), without(second, first_edits)
    if before is None and not base.strip():
        base = None
    return base, ours, theirs
