"""Trees and commits of a project, made in a scratch repository beside its mirror."""

import atexit
import os
import subprocess
from pathlib import Path


class GitError(Exception):
    """git said no; the message is what it said."""


DAY_ONE = {
    "GIT_AUTHOR_NAME": "pairs", "GIT_AUTHOR_EMAIL": "pairs@localhost", "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "pairs", "GIT_COMMITTER_EMAIL": "pairs@localhost",
    "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}


def project_name(repository):
    """`owner/name` of an https address, the key of everything kept for a project."""
    parts = repository.rstrip("/").removesuffix(".git").split("/")
    return "/".join(parts[-2:])


def find_mirror(mirrors, repository):
    """The mirror's git folder of a repository, or None: `owner+name/repo`, `owner/name.git`, `name.git`, `name`."""
    owner, name = project_name(repository).split("/")
    for form in (f"{owner}+{name}/repo", f"{owner}/{name}.git", f"{owner}/{name}", f"{name}.git", name):
        folder = Path(mirrors, form)
        for git_folder in (folder / ".git", folder):
            if (git_folder / "objects").is_dir():
                return git_folder
    return None


class Store:
    """A bare repository that borrows the mirror's objects, so that the mirror is only read."""

    def __init__(self, folder, mirrors, repository):
        self.folder = Path(folder)
        self._blobs = {}
        self._reader = None
        if (self.folder / "HEAD").exists():
            return
        mirror = find_mirror(mirrors, repository) if mirrors else None
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        if mirror is None:
            command = ["git", "clone", "--quiet", "--bare", repository, str(self.folder)]
        else:
            command = ["git", "clone", "--quiet", "--bare", "--shared", str(mirror.resolve()), str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise GitError(f"{repository}: {done.stderr.strip()}")

    def git(self, *arguments, stdin=None, index=None, accept=(0,)):
        """What a git command prints, as bytes."""
        environment = {**os.environ, **DAY_ONE, "GIT_DIR": str(self.folder)}
        if index:
            environment["GIT_INDEX_FILE"] = str(index)
        done = subprocess.run(["git", *arguments], input=stdin, capture_output=True, env=environment)
        if done.returncode not in accept:
            raise GitError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def line(self, *arguments):
        return self.git(*arguments).decode().strip()

    def blob(self, tree, path):
        """The bytes of a file in a tree, or None where there is none."""
        key = (tree, path)
        if key not in self._blobs:
            if len(self._blobs) > 4000:
                self._blobs.clear()
            self._blobs[key] = self._read(f"{tree}:{path}")
        return self._blobs[key]

    def _read(self, name):
        if self._reader is None:
            self._reader = subprocess.Popen(["git", f"--git-dir={self.folder}", "cat-file", "--batch"],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            atexit.register(self.close)
        self._reader.stdin.write(name.encode() + b"\n")
        self._reader.stdin.flush()
        header = self._reader.stdout.readline().rsplit(b" ", 2)
        if len(header) != 3 or not header[2].strip().isdigit():
            return None
        content = self._reader.stdout.read(int(header[2]) + 1)[:-1]
        return content if header[1] == b"blob" else None

    def close(self):
        if self._reader is not None:
            self._reader.communicate()
            self._reader = None

    def changes(self, old, new):
        """Path to (status, lines added, lines removed) between two trees; a rename is a deletion and an addition."""
        result = {}
        statuses = self.git("diff-tree", "-r", "-z", "--no-renames", "--name-status", old, new).split(b"\0")
        for status, path in zip(statuses[0::2], statuses[1::2]):
            result[path.decode(errors="replace")] = [status.decode(), 0, 0]
        for row in self.git("diff-tree", "-r", "-z", "--no-renames", "--numstat", old, new).split(b"\0"):
            if row:
                added, removed, path = row.split(b"\t", 2)
                counts = [1_000_000 if number == b"-" else int(number) for number in (added, removed)]
                result[path.decode(errors="replace")][1:] = counts
        return {path: tuple(change) for path, change in result.items()}

    def history(self, since, most):
        """(commit, parents, changes against the first parent) of the main line, newest first, in one go of git."""
        out = self.git("log", "--first-parent", "-m", "--no-renames", "--raw", "--numstat", "-z", "--format=%x01%H %P",
                       f"--max-count={most}", f"--since={since}", "HEAD")
        for part in out.split(b"\1")[1:]:
            head, _, rest = part.partition(b"\0")
            commit, *parents = head.decode().split()
            fields, result = [field.lstrip(b"\n") for field in rest.split(b"\0")], {}
            place = 0
            while place < len(fields):
                row = fields[place]
                if row.startswith(b":"):
                    result[fields[place + 1].decode(errors="replace")] = [row[-1:].decode(), 0, 0]
                    place += 1
                elif b"\t" in row:
                    added, removed, path = row.split(b"\t", 2)
                    counts = [1_000_000 if number == b"-" else int(number) for number in (added, removed)]
                    result.setdefault(path.decode(errors="replace"), ["M", 0, 0])[1:] = counts
                place += 1
            yield commit, parents, {path: tuple(change) for path, change in result.items()}

    def tree_with(self, tree, files):
        """The tree with these files: path to bytes, or None for a file that is not to be there."""
        if not files:
            return self.line("rev-parse", f"{tree}^{{tree}}")
        index = self.folder / f"index.{os.getpid()}"
        try:
            self.git("read-tree", tree, index=index)
            rows = []
            for path, content in sorted(files.items()):
                if content is None:
                    rows.append(f"0 {'0' * 40}\t{path}")
                    continue
                blob = self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
                entry = self.line("ls-tree", tree, "--", path)
                rows.append(f"{entry.split()[0] if entry else '100644'} {blob}\t{path}")
            self.git("update-index", "--index-info", stdin="\n".join(rows).encode() + b"\n", index=index)
            return self.git("write-tree", index=index).decode().strip()
        finally:
            index.unlink(missing_ok=True)

    def commit(self, tree, *parents):
        options = [option for parent in parents for option in ("-p", parent)]
        return self.line("commit-tree", tree, "-m", "pairs", *options)

    def merge(self, base, ours, theirs):
        """git's own merge of three trees: the tree it leaves, and the paths it leaves in conflict."""
        root = self.commit(base)
        sides = [self.commit(tree, root) for tree in (ours, theirs)]
        out = self.git("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *sides, accept=(0, 1))
        tree, *paths = [part.decode(errors="replace") for part in out.split(b"\0") if part]
        return tree, paths
