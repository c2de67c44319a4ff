"""Finds features in a history, and makes the three sides of a pair of them."""

from dataclasses import dataclass, field

from split import line_hunks, split_file

MOST_SOURCES, MOST_TESTS, MOST_FILES = 6, 5, 14
MOST_ADDED, MOST_REMOVED = 400, 80


@dataclass
class Layout:
    """Which files of a project are source and which are tests: endings, and parts of the path."""
    sources: list
    tests: list
    source_endings: list
    test_endings: list = field(default_factory=list)

    def is_test(self, path):
        return path.endswith(tuple(self.test_endings or self.source_endings)) and any(
            path.startswith(part.lstrip("^")) if part.startswith("^") else part in path for part in self.tests)

    def is_source(self, path):
        return (path.endswith(tuple(self.source_endings)) and not self.is_test(path)
                and any(path.startswith(part) for part in self.sources))


@dataclass
class Feature:
    """A change of source and of tests: a commit of the main line, or the head of a merged branch."""
    commit: str
    parent: str
    sources: tuple
    tests: tuple
    others: tuple
    head: str = ""


def is_document(path):
    name = path.rsplit("/", 1)[-1].lower()
    return path.startswith("docs/") or name.endswith((".md", ".rst", ".markdown")) or name.startswith(
        ("changes", "changelog", "authors", "history"))


def feature(layout, changes, commit, parent, head=""):
    """The change as a feature, or None: too big, without tests, or with files gone."""
    if len(changes) > MOST_FILES:
        return None
    sources = tuple(sorted(path for path in changes if layout.is_source(path)))
    tests = tuple(sorted(path for path in changes if layout.is_test(path)))
    code = sources + tests
    if not (0 < len(sources) <= MOST_SOURCES and 0 < len(tests) <= MOST_TESTS):
        return None
    if any(changes[path][0] not in "AM" for path in code):
        return None
    added = sum(changes[path][1] for path in code)
    removed = sum(changes[path][2] for path in code)
    if added > MOST_ADDED or removed > MOST_REMOVED or not sum(changes[path][1] for path in sources):
        return None
    if sum(changes[path][1] for path in tests) < 3:
        return None
    return Feature(commit, parent, sources, tests, tuple(sorted(set(changes) - set(code))), head)


@dataclass
class Sides:
    """Four trees; `expected` is None where no right merge is known."""
    base: str
    ours: str
    theirs: str
    expected: str | None


def line_conflict(base, ours, theirs):
    """Whether edits of two sides overlap or touch, about as git sees it."""
    edited = [[(start, end) for start, end, _, _ in line_hunks(base, side)] for side in (ours, theirs)]
    return any(start <= other_end and other_start <= end for start, end in edited[0]
               for other_start, other_end in edited[1])


def split_sides(store, layout, first, second, only_conflicts=False):
    """The sides of the kind `split`: A and B of one history, each without the other. None where they hang together.

    `only_conflicts` gives up early where no source or test has edits that touch.
    """
    files = {"base": {}, "ours": {}, "theirs": {}}
    paths = set(first.sources + first.tests + first.others + second.sources + second.tests + second.others)
    shared = set(first.sources + first.tests) & set(second.sources + second.tests)
    side_by_side = False
    for path in sorted(paths, key=lambda path: (path not in shared, path)):
        if only_conflicts and path not in shared and not side_by_side:
            return None
        versions = [store.blob(tree, path) for tree in (first.parent, first.commit, second.parent, second.commit)]
        parts = split_file(*versions)
        if parts is None:
            if layout.is_source(path) or layout.is_test(path):
                return None
            continue  # documents that cannot be told apart stay as they are, on all sides
        side_by_side = side_by_side or None not in parts and line_conflict(*parts)
        for name, content in zip(files, parts):
            files[name][path] = content
    trees = {name: store.tree_with(second.commit, change) for name, change in files.items()}
    return Sides(trees["base"], trees["ours"], trees["theirs"], store.line("rev-parse", f"{second.commit}^{{tree}}"))


def concurrent_sides(store, first, second):
    """The sides of the kind `concurrent`: the heads of two branches, and where they parted."""
    bases = store.line("merge-base", "--all", first.head, second.head).split()
    if len(bases) != 1:
        return None
    trees = [store.line("rev-parse", f"{commit}^{{tree}}") for commit in (bases[0], first.head, second.head)]
    return Sides(*trees, None) if len(set(trees)) == 3 else None


def own_feature(store, layout, commit):
    parent = store.line("rev-parse", f"{commit}^1")
    return feature(layout, store.changes(parent, commit), commit, parent)


def sides_of(store, layout, pair):
    """The sides of a recipe's pair."""
    if pair["kind"] == "concurrent":
        heads = [Feature(pair[side], "", (), (), (), pair[side]) for side in ("ours", "theirs")]
        return concurrent_sides(store, *heads)
    first, second = (own_feature(store, layout, pair[side]) for side in ("ours", "theirs"))
    return split_sides(store, layout, first, second) if first and second else None
