"""A project's recipe: where it is, which files are what, and its pairs."""

import json
from pathlib import Path

from features import Layout, sides_of
from store import Store
from trial import Commands, Trials, passing

NO_TESTS = "base: no test passes"
KNOWN = 6  # names of new tests kept for reading


class Recipe:
    """The file recipes/<name>.json."""

    def __init__(self, name, data):
        self.name, self.data = name, data
        self.repository, self.language = data["repository"], data["language"]
        self.since = data.get("since", "2000-01-01")
        self.layout = Layout(data["sources"], data["tests"], data["endings"], data.get("test_endings", []))
        self.pairs = data.get("pairs", [])

    @classmethod
    def read(cls, path):
        return cls(Path(path).stem, json.loads(Path(path).read_text()))

    def write(self, path):
        self.data["pairs"] = self.pairs
        Path(path).write_text(json.dumps(self.data, indent=1) + "\n")

    def pair(self, kind, first, second, paths):
        """A pair as the recipe keeps it; commits of a concurrent pair are the heads of the branches."""
        ours, theirs = first.head or first.commit, second.head or second.commit
        return {
            "id": f"{self.name}-{ours[:7]}-{theirs[:7]}", "kind": kind, "ours": ours, "theirs": theirs,
            "files": sorted(set(first.sources) & set(second.sources)),
            "tests": sorted(set(first.tests + second.tests)), "git_conflicts": sorted(paths),
        }

    def check(self, store, trials, pair, sides=None):
        """Why the pair is none; empty where every condition holds. Notes the new tests in the pair."""
        sides = sides or sides_of(store, self.layout, pair)
        if sides is None:
            return ["no such sides"]
        if sorted(store.merge(sides.base, sides.ours, sides.theirs)[1]) != pair["git_conflicts"]:
            return ["git leaves other files"]
        files = pair["tests"]
        base = trials.run(sides.base, files)
        if not passing(base) and any(store.blob(sides.base, path) is not None for path in files):
            return [NO_TESTS]
        new = {}
        for side in ("ours", "theirs"):
            tree = getattr(sides, side)
            result = trials.run(tree, files)
            new[side] = sorted(passing(result) - passing(base))
            if not new[side]:
                return [f"{side}: no new test"]
            if lost := sorted(name for name in passing(base) if result.get(name) is False):
                return [f"{side}: breaks {lost[0]}"]
            if failed := sorted(name for name in result if not result[name] and name not in base):
                return [f"{side}: {failed[0]} fails"]
            tests = {path: store.blob(tree, path) for path in files}
            probe = trials.run(store.tree_with(sides.base, tests), files)
            if all(probe.get(name) for name in new[side]):
                return [f"{side}: its new tests pass without it"]
        if sides.expected:
            merged = passing(trials.run(sides.expected, files))
            if lost := sorted((set(new["ours"]) | set(new["theirs"])) - merged):
                return [f"expected: {lost[0]} fails"]
        pair["new_tests"] = {side: {"count": len(names), "names": names[:KNOWN]} for side, names in new.items()}
        return []


def open_project(recipe, mirrors, work, commands, tests=True):
    """The project's store, and its tests where its commands are known."""
    work = Path(work)
    store = Store(work / "stores" / f"{recipe.name}.git", mirrors, recipe.repository)
    if not tests:
        return store, None
    data = json.loads(Path(commands, f"{recipe.name}.json").read_text())
    trials = Trials(store, work, recipe.name, Commands(data, recipe.language), recipe.data.get("unstable"))
    trials.install()
    return store, trials
