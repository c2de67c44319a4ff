#!/usr/bin/env python3
"""Fills a recipe with pairs of features from its project's history.

Usage: mine.py RECIPE --mirrors DIR --work DIR [--commands DIR] [--conflicting N] [--clean N] [--dry]

Newest features first; a feature is used once; what any merge engine makes of a pair plays no part. See README.md.
"""

import argparse
import re
import sys
from pathlib import Path

from features import concurrent_sides, feature, is_document, split_sides
from recipes import NO_TESTS, Recipe, open_project

NEAR = 25  # features before B that are tried as A
DEAD = 8  # pairs in a row whose tests do not run at all: from here on the history is too old for these tools

NEW_TEST = re.compile(
    rb"def test|parametrize|pytest\.param|\b(it|test)(\.\w+)?\(|^\s*(async )?fn |func Test|t\.Run|[nN]ame:",
    re.MULTILINE)


def has_new_test(store, one):
    """Whether what the feature added to its tests looks like a test with a name of its own."""
    for path in one.tests:
        old = set((store.blob(one.parent, path) or b"").splitlines())
        added = [line for line in (store.blob(one.commit, path) or b"").splitlines() if line not in old]
        if NEW_TEST.search(b"\n".join(added)):
            return True
    return False


def split_pairs(found):
    """(A, B) of the kind `split`, newest B first, then nearest A."""
    for index, (second, _) in enumerate(found):
        for first, _ in found[index + 1:index + 1 + NEAR]:
            if set(first.sources) & set(second.sources):
                yield first, second


def concurrent_pairs(store, layout, found, line):
    """(A, B) of the kind `concurrent`: branches that were open at one time, both merged later."""
    place = {commit: index for index, commit in enumerate(line)}
    merges = [(one, parents) for one, parents in found if len(parents) == 2]
    for index, (newer, (trunk, head)) in enumerate(merges):
        near = [one for one in merges[index + 1:index + 1 + NEAR] if set(one[0].sources) & set(newer.sources)]
        parted = place.get(store.line("merge-base", trunk, head), len(line)) if near else 0
        for older, (_, older_head) in near:
            if parted <= place[older.commit]:
                continue  # the newer branch began with the older one in it
            bases = store.line("merge-base", "--all", head, older_head).split()
            if len(bases) != 1 or bases[0] in (head, older_head):
                continue
            first, second = (feature(layout, store.changes(bases[0], tip), one.commit, bases[0], tip)
                             for one, tip in ((older, older_head), (newer, head)))
            if first and second and set(first.sources) & set(second.sources):
                yield first, second


def candidates(store, recipe, most, skip):
    """Every pair that stands apart, with its sides and the paths git leaves in conflict.

    `skip(first, second, conflict)` says of a pair that it is not wanted; `conflict` is None before that is known.
    """
    layout = recipe.layout
    history = list(store.history(recipe.since, most))
    line = [commit for commit, _, _ in history]
    found = [(one, parents) for commit, parents, changes in history
             if parents and (one := feature(layout, changes, commit, parents[0])) and has_new_test(store, one)]
    for kind, pairs in (("concurrent", concurrent_pairs(store, layout, found, line)), ("split", split_pairs(found))):
        for first, second in pairs:
            if skip(first, second, None):
                continue
            sides = (concurrent_sides(store, first, second) if kind == "concurrent" else
                     split_sides(store, layout, first, second, only_conflicts=skip(first, second, False)))
            if not sides or len({sides.base, sides.ours, sides.theirs}) < 3:
                continue
            paths = store.merge(sides.base, sides.ours, sides.theirs)[1]
            code = [path for path in paths if layout.is_source(path) or layout.is_test(path)]
            if all(path in code or is_document(path) for path in paths) and not skip(first, second, bool(code)):
                yield kind, first, second, sides, paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--mirrors")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--commands", type=Path)
    parser.add_argument("--conflicting", type=int, default=6, help="pairs that git leaves in conflict in code")
    parser.add_argument("--clean", type=int, default=2, help="other pairs")
    parser.add_argument("--commits", type=int, default=4000, help="how far back")
    parser.add_argument("--tries", type=int, default=60, help="pairs whose tests are run at most")
    parser.add_argument("--dry", action="store_true", help="only list the pairs, run no tests")
    options = parser.parse_args()
    recipe = Recipe.read(options.recipe)
    store, trials = open_project(recipe, options.mirrors, options.work, options.commands, tests=not options.dry)
    used, tries, dead = set(), 0, 0
    wanted = {True: options.conflicting, False: options.clean}
    recipe.pairs = []

    def skip(first, second, conflict):
        wants = any(wanted.values()) if conflict is None else wanted[conflict]
        return not wants or bool({first.commit, second.commit} & used)

    for kind, first, second, sides, paths in candidates(store, recipe, options.commits, skip):
        conflict = any(not is_document(path) for path in paths)
        pair = recipe.pair(kind, first, second, paths)
        if options.dry:
            print(pair["id"], kind, "conflict" if conflict else "clean", " ".join(paths))
            used |= {first.commit, second.commit}
            wanted[conflict] -= 1
            continue
        if tries >= options.tries or dead >= DEAD:
            break
        tries += 1
        reasons = recipe.check(store, trials, pair, sides)
        print(f"{pair['id']} {kind} {'conflict' if conflict else 'clean'}: {'; '.join(reasons) or 'kept'}", flush=True)
        dead = dead + 1 if reasons == [NO_TESTS] else 0
        for side, one in (("ours", first), ("theirs", second)):
            if any(reason.startswith((f"{side}: no new test", f"{side}: its new tests")) for reason in reasons):
                used.add(one.commit)  # its tests do not know it, beside whatever feature
        if not reasons:
            used |= {first.commit, second.commit}
            wanted[conflict] -= 1
            recipe.pairs.append(pair)
            recipe.write(options.recipe)
    if not options.dry:
        recipe.write(options.recipe)
    print(f"{recipe.name}: {len(recipe.pairs)} pairs, {tries} tried", file=sys.stderr)


if __name__ == "__main__":
    main()
