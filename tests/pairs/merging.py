"""Merge programs, asked file by file as git asks a merge driver."""

import itertools
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Answer:
    """What a program made of a file: merged bytes or None, and its candidates in order."""
    merged: bytes | None
    candidates: list = field(default_factory=list)
    words: str = ""


class Driver:
    """A command with `%O` base, `%A` ours and the result, `%B` theirs, `%P` path; run without a shell."""

    def __init__(self, command, seconds=30):
        self.words, self.seconds = shlex.split(command), seconds

    def merge(self, base, ours, theirs, path):
        with tempfile.TemporaryDirectory() as folder:
            places = {"%P": path}
            for word, text in (("%O", base), ("%A", ours), ("%B", theirs)):
                file = Path(folder, word[1] + Path(path).suffix)
                file.write_bytes(text)
                places[word] = str(file)
            command = []
            for word in self.words:
                for place, value in places.items():
                    word = word.replace(place, value)
                command.append(word)
            return self.answer(command, Path(places["%A"]), Path(folder))

    def answer(self, command, result, folder):
        code, words = run(command, folder, self.seconds)
        return Answer(result.read_bytes() if code == 0 else None, words=words)


def run(command, folder, seconds):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, "too slow\n"
    return done.returncode, done.stderr.decode(errors="replace")


class Engine(Driver):
    """`agent-client merge-file`: what the verifier let pass, and the candidates for callers with a gate."""

    def __init__(self, program, seconds=30):
        program = shlex.quote(str(Path(shutil.which(program) or program).resolve()))
        options = "-p %P -o %A --accept verified --explain --candidates candidates"
        super().__init__(f"{program} merge-file %O %A %B {options}", seconds)

    def answer(self, command, result, folder):
        code, words = run(command, folder, self.seconds)
        files = sorted((folder / "candidates").glob("*"), key=lambda file: int(file.name.split(".")[0]))
        candidates = [] if code == 0 else [file.read_bytes() for file in files]
        return Answer(result.read_bytes() if code == 0 else None, candidates, words)


def both_changed(store, sides):
    """Files that both sides changed, differently: those that git asks a driver for."""
    ours, theirs = (store.changes(sides.base, side) for side in (sides.ours, sides.theirs))
    return sorted(path for path in set(ours) & set(theirs)
                  if store.blob(sides.ours, path) != store.blob(sides.theirs, path))


def answers(store, sides, program):
    """(git's tree, path to answer); None as an answer where a side has no such file, or git alone is stuck."""
    tree, stuck = store.merge(sides.base, sides.ours, sides.theirs)
    result = {path: None for path in stuck}
    for path in both_changed(store, sides):
        texts = [store.blob(side, path) for side in (sides.base, sides.ours, sides.theirs)]
        if texts[0] is None and None not in texts:
            texts[0] = b""
        if None not in texts:
            result[path] = program.merge(*texts, path)
    return tree, result


def clean_tree(store, tree, result):
    """The merged tree, or None where a file is left to a person."""
    if any(answer is None or answer.merged is None for answer in result.values()):
        return None
    return store.tree_with(tree, {path: answer.merged for path, answer in result.items()})


def candidate_trees(store, tree, result, most):
    """Trees of candidates, the likeliest first, at most so many; none where a file has neither answer nor candidate."""
    if any(answer is None or answer.merged is None and not answer.candidates for answer in result.values()):
        return
    paths = sorted(result)
    choices = [range(1 if result[path].merged is not None else len(result[path].candidates)) for path in paths]
    ranked = sorted(itertools.islice(itertools.product(*choices), 4096), key=lambda ranks: (sum(ranks), ranks))
    for ranks in ranked[:most]:
        files = {path: result[path].merged if result[path].merged is not None else result[path].candidates[rank]
                 for path, rank in zip(paths, ranks)}
        yield store.tree_with(tree, files)
