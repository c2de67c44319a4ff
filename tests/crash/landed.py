"""What git alone says about landings, long after: each is held against what its agent wrote and what the gates saw.

Nothing here asks the server. The checks take what was collected while it ran, so a forged history can be given to them.
"""

import collections
import hashlib
import os
import subprocess

from harness import Failed, clean_environment, need

OPEN = ("queued", "merging", "gating", "waiting")
LIST, CLASH = "list.txt", "clash.txt"


def environment():
    """Nothing of this machine's settings, and names for those who commit."""
    names = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
             for what, value in (("NAME", "person"), ("EMAIL", "person@example.org"))}
    return dict(clean_environment(), GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", **names)


def attempt(folder, *arguments, data=None, env=None):
    """(exit code, stdout, stderr) of git."""
    command = ["git", "-C", folder, *arguments]
    done = subprocess.run(command, env=env or environment(), input=data, capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def git(folder, *arguments, **options):
    """What git prints; it has to succeed."""
    code, out, err = attempt(folder, *arguments, **options)
    need(code == 0, f"git {' '.join(arguments)} ended with {code}: {err.strip()}")
    return out.decode(errors="surrogateescape").strip()


class Edit:
    """One change of an agent, and what it did about it."""

    def __init__(self, agent, number):
        self.agent, self.name = agent, f"{agent} edit {number}"
        self.files = {}  # path -> bytes, or None where it was deleted
        self.entry = None  # its line of the shared list
        self.is_bad = self.is_cancelled = False
        self.answered = []  # ids of merges that were answered with 200


class Commit:
    """One commit, as git tells it."""

    def __init__(self, line):
        self.id, parents, self.tree, self.author, self.subject = line.split("\0")
        self.parents = parents.split()


class History:
    """The branch and the one beside it, read by git."""

    def __init__(self, repo):
        self.repo = repo
        self.tips = git(repo, "for-each-ref", "--format=%(refname)", "refs/heads/main", "refs/heads/orchestrator/main").split()
        lines = git(repo, "log", "--format=%H%x00%P%x00%T%x00%an%x00%s", *self.tips).splitlines()
        self.commits = {commit.id: commit for commit in map(Commit, lines)}
        self.trees, self.contents = {}, {}

    def tree(self, commit):
        """path -> blob."""
        if commit.tree not in self.trees:
            entries = git(self.repo, "ls-tree", "-r", "-z", commit.tree).split("\0")
            self.trees[commit.tree] = {path: head.split()[2] for head, _, path in
                                       (entry.partition("\t") for entry in entries if entry)}
        return self.trees[commit.tree]

    def content(self, blob):
        """Bytes, or None for no blob."""
        if blob and blob not in self.contents:
            code, out, _ = attempt(self.repo, "cat-file", "blob", blob)
            need(code == 0, f"the blob {blob} is gone")
            self.contents[blob] = out
        return self.contents[blob] if blob else None

    def changes(self, old, new):
        """path -> bytes or None, of what differs."""
        old, new = self.tree(old), self.tree(new)
        return {path: self.content(new.get(path)) for path in {*old, *new} if old.get(path) != new.get(path)}

    def digest(self, commit):
        """What the gate computes: each file's digest and path, in the order of the bytes."""
        lines = [f"{hashlib.sha1(self.content(blob)).hexdigest()}  ./{path}\n" for path, blob in self.tree(commit).items()]
        lines.sort(key=lambda line: line[40:].encode())
        return hashlib.sha1("".join(lines).encode()).hexdigest()


Seen = collections.namedtuple("Seen", "receipts edits digests commits tried")
Seen.__doc__ = """What was collected: receipts by id, edits by name, digests that the gate passed, what the person committed
and what it tried to commit (message -> files)."""


def landed(seen):
    return [receipt for receipt in seen.receipts.values() if receipt["state"] == "landed"]


def on_the_branch(history, seen):
    """What the server calls landed is there, once, and made from the base that the receipt names."""
    losses, owners = [], collections.Counter(receipt["commit"] for receipt in landed(seen))
    for receipt in landed(seen):
        commit, name = history.commits.get(receipt["commit"]), receipt["merge_id"]
        if commit is None:
            losses.append(f"{name} landed as {receipt['commit']}, which {' and '.join(history.tips)} do not have")
        elif commit.parents[:1] != [receipt["base"]] or commit.tree != receipt["tree"]:
            losses.append(f"{name} is {commit.tree} on {commit.parents}, its receipt says {receipt['tree']} on {receipt['base']}")
        elif owners[commit.id] > 1:
            losses.append(f"{commit.id} is the commit of {owners[commit.id]} landings")
    return losses


def gated_at(history, seen, receipt, commit):
    """The commit whose tree the gates saw: the landing's own, or the last of its batch, if that stands on it; else None."""
    if receipt["batch"] is None:
        return commit
    members, below = receipt["batch"]["merges"], None
    for name in reversed(members):
        one = history.commits.get(seen.receipts.get(name, {}).get("commit"))
        if one is None or below and below.parents[:1] != [one.id] or not below and one.tree != receipt["batch"]["tree"]:
            return None
        if name == receipt["merge_id"]:
            return history.commits[seen.receipts[members[-1]]["commit"]]
        below = one
    return None


def was_gated(history, seen):
    """The exact content of each landed tree went through the gate, or, where the receipt says so, that of the batch which it
    is a step of; what the other gate refuses is in none."""
    losses = []
    for receipt in landed(seen):
        commit = history.commits.get(receipt["commit"])
        end = commit and gated_at(history, seen, receipt, commit)
        if commit and (end is None or history.digest(end) not in seen.digests):
            losses.append(f"no gate saw the content of {receipt['merge_id']} ({commit.id})")
    for commit in history.commits.values():
        losses += [f"{path} is in {commit.id}" for path in history.tree(commit) if path.startswith("bad-")]
    return losses


def is_exact(history, seen):
    """A landing changed what its agent changed, byte for byte, and nothing else."""
    losses, times = [], collections.Counter()
    for receipt in landed(seen):
        commit, edit = history.commits.get(receipt["commit"]), seen.edits.get(receipt["message"])
        base = commit and history.commits.get((commit.parents + [None])[0])
        if not base or not edit or commit.author != edit.agent:
            losses.append(f"{receipt['merge_id']} ({receipt['message']}) is no agent's edit on a commit of the branch")
            continue
        times[edit.name] += 1
        changes = history.changes(base, commit)
        if edit.entry:
            old, new = (history.content(history.tree(one).get(LIST)).splitlines() for one in (base, commit))
            other = [(was, now) for was, now in zip(old, new, strict=False) if was != now]
            if len(old) != len(new) or [now for _, now in other] != [edit.entry]:
                losses.append(f"{edit.name} changed the list by {other}, its agent wrote {edit.entry}")
            changes.pop(LIST, None)
        wanted = {path: content for path, content in edit.files.items() if content != history.content(history.tree(base).get(path))}
        for path in sorted({path for path in {*changes, *wanted} if changes.get(path, 0) != wanted.get(path, 0)}):
            losses.append(f"{edit.name} ({commit.id}): {path} became {changes.get(path, 'nothing new')}, "
                          f"its agent wrote {wanted.get(path, 'nothing')}")
    return losses + [f"{name} landed {count} times" for name, count in times.items() if count > 1]


def is_explained(history, seen):
    """Each commit is a landing of the server or the person's; the person's hold what the person put in, and none is gone."""
    losses, ours, found = [], {receipt["commit"] for receipt in landed(seen)}, set()
    for commit in history.commits.values():
        if commit.id in ours or not commit.parents:
            continue
        if commit.author != "person" or not commit.subject.startswith("person "):
            losses.append(f"nobody's: {commit.id} by {commit.author}, '{commit.subject}'")
        elif len(commit.parents) == 2:
            merged = git(history.repo, "merge-tree", "--write-tree", *commit.parents)
            losses += [f"{commit.id} is not the merge of its parents"] if merged != commit.tree else []
        else:
            found.add(commit.subject)
            changes, wanted = history.changes(history.commits[commit.parents[0]], commit), seen.tried.get(commit.subject)
            if changes != wanted:
                losses.append(f"'{commit.subject}' ({commit.id}) changed {sorted(changes)}, the person changed {sorted(wanted or [])}")
    return losses + [f"'{subject}' is gone" for subject in sorted(set(seen.commits) - found)]


def is_over(_, seen):
    """Each answered request is known and over, for a reason that its work gives."""
    losses, states = [], collections.defaultdict(list)
    for receipt in seen.receipts.values():
        states[receipt["message"]].append(receipt)
    for edit in seen.edits.values():
        losses += [f"{name} was answered and is not known" for name in edit.answered if name not in seen.receipts]
        for receipt in states[edit.name]:
            state, reason = receipt["state"], receipt["reason"] or ""
            right = {
                "landed": not edit.is_bad,
                "rejected": edit.is_bad and "nobad" in reason or
                "nothing to land" in reason and any(one["state"] == "landed" for one in states[edit.name]),
                "conflict": CLASH in edit.files or bool(edit.entry) and any(one["file_path"] == LIST for one in receipt["open"]),
                "cancelled": edit.is_cancelled,
            }
            if not right.get(state):
                losses.append(f"{receipt['merge_id']} ({edit.name}) is {state}: {reason}")
    return losses


CHECKS = {
    "what the server calls landed is on the branch, from the base that it names": on_the_branch,
    "landed content is content that the gates passed": was_gated,
    "a landing is its agent's change, byte for byte, and nothing else": is_exact,
    "each commit is a landing or the person's, and the person's are whole": is_explained,
    "answered requests are known and over, each for a reason": is_over,
}


# ---- the controls: forged histories, each of which one of the checks must name


def forge(repo, seen):
    """(what, check, the repository, what was collected) of each lie, from a true history. Refs of `repo` are moved."""
    history = History(repo)
    last = history.commits[git(repo, "rev-parse", "refs/heads/main")]
    receipt = max(landed(seen), key=lambda one: int(one["merge_id"].partition("-")[2]))
    true = history.commits[receipt["commit"]]
    base = history.commits[true.parents[0]]
    edit = seen.edits[receipt["message"]]

    def moved(tree, parent, author, subject=receipt["message"]):
        """The branch with a commit of this tree upon it."""
        env = dict(environment(), GIT_AUTHOR_NAME=author)
        made = git(repo, "commit-tree", tree, "-p", parent, "-m", subject, env=env)
        git(repo, "update-ref", "refs/heads/main", made)
        if "refs/heads/orchestrator/main" in history.tips:
            git(repo, "update-ref", "-d", "refs/heads/orchestrator/main")
        return made

    def claimed(commit):
        """The receipts with this commit in the place of the true one."""
        tree = git(repo, "rev-parse", f"{commit}^{{tree}}")
        lie = {**receipt, "commit": commit, "tree": tree}
        return seen._replace(receipts={**seen.receipts, receipt["merge_id"]: lie})

    def with_entries(tree, change):
        entries = git(repo, "ls-tree", "-z", tree).split("\0")
        return git(repo, "mktree", "-z", data="\0".join(change([entry for entry in entries if entry]) + [""]).encode())

    blob = git(repo, "hash-object", "-w", "--stdin", data=b"never seen\n")
    more = with_entries(true.tree, lambda entries: entries + [f"100644 blob {blob}\tsmuggled"])
    yield "a tree that no gate saw", was_gated, claimed(moved(more, base.id, edit.agent))
    yield "a file that nobody changed came along", is_exact, claimed(moved(more, base.id, edit.agent))
    less = with_entries(true.tree, lambda entries: [entry for entry in entries if not entry.endswith("\ta.py")])
    yield "a file was lost", is_exact, claimed(moved(less, base.id, edit.agent))
    bad = with_entries(last.tree, lambda entries: entries + [f"100644 blob {blob}\tbad-x"])
    moved(bad, last.id, "person")
    yield "what a gate refuses is on the branch", was_gated, seen
    moved(last.tree, last.id, "nobody")
    yield "a commit that nobody made", is_explained, seen
    moved(history.commits[last.parents[0]].tree, last.id, "person", "person forged")
    told = seen._replace(tried={**seen.tried, "person forged": {}})
    yield "a person's commit that undoes more than the person did", is_explained, told
    git(repo, "update-ref", "refs/heads/main", base.id)
    yield "a landing is gone from the branch", on_the_branch, seen
    git(repo, "update-ref", "refs/heads/main", last.id)
    first = next(iter(edit.answered), receipt["merge_id"])
    kept = {name: one for name, one in seen.receipts.items() if name != first}
    yield "an answered request is forgotten", is_over, seen._replace(receipts=kept)
    refused = {**receipt, "state": "rejected", "reason": "main holds all of it already: there is nothing to land"}
    yield "what landed is called refused", is_over, seen._replace(receipts={**kept, receipt["merge_id"]: refused})


def planted(repo, seen):
    """(lies told, what was seen of each, lies that were believed)."""
    told, found, believed = 0, [], []
    for what, check, lie in forge(repo, seen):
        told += 1
        try:
            losses = check(History(repo), lie)
        except Failed as error:
            losses = [str(error)]
        (found if losses else believed).append(f"{what}: {losses[0] if losses else 'not seen'}")
    return told, found, believed
