#!/usr/bin/env python3
"""Fills a recipe with pairs of features from its project's history.

Usage: mine.py RECIPE --mirrors DIR --work DIR [--commands DIR] [--conflicting N] [--clean N] [--dry]

Newest features first; a feature is used once; what any merge engine makes of a pair plays no part. See README.md.
"""

import argparse
import json
import sys
from pathlib import Path

from features import concurrent_sides, feature, is_document, split_sides
from recipes import NO_TESTS, Recipe, open_project

NEAR = 25  # features before B that are tried as A
DEAD = 8  # pairs in a row whose tests do not run at all: from here on the history is too old for these tools


def split_pairs(found):
    """(A, B) of the kind `split`, newest B first, then nearest A."""
    for index, (second, _) in enumerate(found):
        for first, _ in found[index + 1:index + 1 + NEAR]:
            if set(first.sources) & set(second.sources):
                yield first, second


def concurrent_pairs(store, layout, found):
    """(A, B) of the kind `concurrent`: branches that were open at one time, both merged later."""
    merges = [(one, parents[1]) for one, parents in found if len(parents) == 2]
    for index, (newer, head) in enumerate(merges):
        for older, older_head in merges[index + 1:index + 1 + 2 * NEAR]:
            if not set(older.sources) & set(newer.sources):
                continue
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
    found = [(one, parents) for commit, parents, changes in store.history(recipe.since, most)
             if parents and (one := feature(layout, changes, commit, parents[0]))]
    for kind, pairs in (("concurrent", concurrent_pairs(store, layout, found)), ("split", split_pairs(found))):
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
