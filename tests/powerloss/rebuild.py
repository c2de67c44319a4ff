#!/usr/bin/env python3
"""Builds folders as they may be found after power loss, from a log written by shim.c.

    timeline = Timeline(records("ops.log"), initial="before")
    for cut in range(len(timeline) + 1):
        timeline.advance(cut)                 # the first `cut` operations happened
        for seed in range(20):
            timeline.write(seed, "after")     # one folder that may be on the disk

What was synced is there, whatever the seed. What was not may be there or not;
the seed decides. See README.md for the model and its limits.
"""

import argparse
import collections
import os
import random
import shutil
import stat
import struct
import sys

OPS = ("", "create", "tmpfile", "write", "truncate", "fallocate", "rename", "link", "unlink", "rmdir", "mkdir",
       "symlink", "chmod", "fsync", "fdatasync", "syncfs", "sync", "mapped", "foreign", "fault")

# The same layout as `struct head` of shim.c.
HEAD = struct.Struct("<IIQIIQQQQQqqqIIII")
MAGIC = 0x504C4F53
WRITE_IS_SYNC = 1
RENAME_EXCHANGE = 2
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE = 1, 2, 16

# What a seed chooses. The first seeds are the extremes, each seen once; the
# rest draw from the last four, because those differ from seed to seed.
STYLES = ("none", "all", "names", "sizes", "data", "prefix", "subset", "zeros", "torn")
RANDOM_STYLES = STYLES[5:]

Record = collections.namedtuple(
    "Record", "seq op flags dev ino parent parent2 ino2 offset length result mode pid path path2 data")
Entry = collections.namedtuple("Entry", "kind mode content")  # kind: file, folder, link


# State of a file's change. Doubtful: an fsync failed, so no later one vouches for it.
UNSYNCED, SYNCED, DOUBTFUL = range(3)


class Unusable(Exception):
    """The log cannot be trusted: something changed the folder that it does not hold."""


def records(path):
    """All complete records of a log. A last one that is cut off was never finished and is left out."""
    with open(path, "rb") as file:
        raw = memoryview(file.read())
    found, at = [], 0
    while at + HEAD.size <= len(raw):
        magic, size, seq, op, *rest, path_len, path2_len = HEAD.unpack_from(raw, at)
        if magic != MAGIC or size < HEAD.size or op >= len(OPS):
            raise Unusable(f"no record at byte {at} of the operation log")
        if at + size > len(raw):
            break
        if seq != len(found) + 1:
            raise Unusable(f"record {len(found) + 1} of the operation log says it is number {seq}")
        a = at + HEAD.size
        b = a + path_len
        c = b + path2_len
        found.append(Record(seq, OPS[op], *rest, os.fsdecode(bytes(raw[a:b])), os.fsdecode(bytes(raw[b:c])),
                            raw[c:at + size]))
        at += size
    return found


class Counter:
    """Counts the complete records of a log that is still being written, reading each head once."""

    def __init__(self, path):
        self.path, self.at, self.count = path, 0, 0

    def read(self):
        try:
            file = open(self.path, "rb", buffering=0)
        except FileNotFoundError:
            return 0
        with file:
            end = os.fstat(file.fileno()).st_size
            while self.at + HEAD.size <= end:
                size = struct.unpack("<I", os.pread(file.fileno(), 4, self.at + 4))[0]
                if self.at + size > end:
                    break
                self.at += size
                self.count += 1
        return self.count


class Node:
    """A file, folder or link, followed by identity through all its names."""

    __slots__ = ("kind", "mode", "base", "pending", "broken", "live", "kept", "kept_seq")

    def __init__(self, kind, mode, base=b""):
        self.kind = kind
        self.mode = stat.S_IMODE(mode)
        # file: content on the disk for certain; link: its target
        self.base = bytearray(base) if kind == "file" else base
        self.pending = []     # file: [record, UNSYNCED, SYNCED or DOUBTFUL] after that, oldest first
        self.broken = False   # file: an fsync failed, see Timeline._fault
        self.live = {}        # folder: name -> Node as the running program sees it
        self.kept = {}        # folder: name -> Node on the disk for certain
        self.kept_seq = {}    # folder: name -> record that decided kept[name]


class Change:
    """One atomic change of names: [(folder, name, node or None)], not yet certain to be on the disk."""

    __slots__ = ("seq", "sets", "needs")

    def __init__(self, seq, sets, needs):
        self.seq, self.sets, self.needs = seq, sets, needs


def resize(content, size):
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def put(content, offset, data):
    if len(content) < offset:
        resize(content, offset)
    content[offset:offset + len(data)] = data


def apply_data(content, record):
    """Applies one change to a file's content, a bytearray."""
    if record.op == "write":
        put(content, record.offset, record.data)
    elif record.op == "truncate":
        resize(content, record.length)
    elif record.op == "fallocate":
        end = record.offset + record.length
        if record.mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE):
            raise Unusable(f"record {record.seq}: fallocate mode {record.mode} is not modelled")
        if record.mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE) and record.offset < len(content):
            put(content, record.offset, bytes(min(end, len(content)) - record.offset))
        if not record.mode & FALLOC_KEEP_SIZE and end > len(content):
            resize(content, end)


class Timeline:
    """The folder on the disk, as the power-loss point moves forward through a log.

    `initial` is a copy of the folder from before the first record, all of it on
    the disk; None for an empty one. `posix` is "strict" (a name is on the disk
    once its folder is synced) or "lenient" (fsync of a file keeps its name, too,
    as the usual journalling file systems do).
    """

    def __init__(self, log, initial=None, posix="strict"):
        if posix not in ("strict", "lenient"):
            raise ValueError(f"posix is strict or lenient, not {posix!r}")
        self.log, self.initial, self.posix = log, initial, posix
        self._restart()

    def __len__(self):
        return len(self.log)

    def _restart(self):
        self.cut = 0
        self.nodes = {}       # (dev, ino) -> Node, for those the log has named
        self.named = set()    # the same nodes, and those whose number was given away since
        self.changes = {}     # seq -> Change, oldest first
        self.by_folder = {}   # folder -> {seq} of the changes above
        self.setter = {}      # (folder, name) -> seq of the last change that set it
        self.dirty = {}       # files with pending data; a dict because it keeps the order
        self.root = _load(self.initial) if self.initial else Node("folder", 0o755)

    def advance(self, cut):
        """Moves to the moment after the first `cut` records. Going forward is cheap, going back starts over."""
        if not 0 <= cut <= len(self.log):
            raise ValueError(f"cut {cut} of a log with {len(self.log)} records")
        if cut < self.cut:
            self._restart()
        while self.cut < cut:
            self._step(self.log[self.cut])
            self.cut += 1

    # ---- the log, record by record

    def _step(self, record):
        getattr(self, "_" + record.op)(record)

    def _find(self, path):
        node = self.root
        for name in path.split("/") if path else ():
            node = node.live.get(name) if node else None
        return node

    def _node(self, record, ino=None, path=None):
        """The node a record is about. One from the initial copy is bound to its identity when first named."""
        key = record.dev, ino or record.ino
        path = record.path if path is None else path
        deleted = path.endswith(" (deleted)")
        node = self.nodes.get(key)
        there = None if deleted else self._find(path)
        if node is None and there is not None and there not in self.named:
            node = self.nodes[key] = there
            self.named.add(there)
        # This is where a rename made behind the shim's back comes to light.
        if node is None or (there is not node and not deleted):
            raise Unusable(f"record {record.seq} ({record.op} {path!r}): the log does not know this file by this "
                           "name, so some operation was not recorded; see README.md, 'What escapes'")
        return node

    def _folder(self, record, ino, path):
        return self._node(record, ino, path.rpartition("/")[0])

    def _new(self, record, kind, base=b""):
        # Always a new node: the kernel gives the numbers of deleted files to new ones.
        node = self.nodes[record.dev, record.ino] = Node(kind, record.mode, base)
        self.named.add(node)
        return node

    def _change(self, record, sets, sources=()):
        """Records a change of names. It needs the changes that put the things it moves where they were."""
        needs = [self.setter[key] for key in sources if self.setter.get(key) in self.changes]
        self.changes[record.seq] = Change(record.seq, sets, needs)
        for folder, name, node in sets:
            if node is None:
                folder.live.pop(name, None)
            else:
                folder.live[name] = node
            self.setter[folder, name] = record.seq
            self.by_folder.setdefault(folder, set()).add(record.seq)

    def _data(self, record, node, synced=False):
        if node.kind != "file":
            raise Unusable(f"record {record.seq}: {record.op} of a {node.kind}")
        node.pending.append([record, SYNCED if synced else UNSYNCED])
        self.dirty[node] = True

    def _create(self, record):
        folder = self._folder(record, record.parent, record.path)
        self._change(record, [(folder, _name(record.path), self._new(record, "file"))])

    def _tmpfile(self, record):
        self._new(record, "file")

    def _mkdir(self, record):
        folder = self._folder(record, record.parent, record.path)
        self._change(record, [(folder, _name(record.path), self._new(record, "folder"))])

    def _symlink(self, record):
        folder = self._folder(record, record.parent, record.path)
        self._change(record, [(folder, _name(record.path), self._new(record, "link", bytes(record.data)))])

    def _link(self, record):
        node = self._node(record)
        folder = self._folder(record, record.parent2, record.path2)
        self._change(record, [(folder, _name(record.path2), node)])

    def _unlink(self, record):
        self._node(record)
        folder = self._folder(record, record.parent, record.path)
        self._change(record, [(folder, _name(record.path), None)])

    _rmdir = _unlink

    def _rename(self, record):
        node = self._node(record)
        a = self._folder(record, record.parent, record.path), _name(record.path)
        b = self._folder(record, record.parent2, record.path2), _name(record.path2)
        if record.flags & ~(RENAME_EXCHANGE | 1):
            raise Unusable(f"record {record.seq}: rename with flags {record.flags} is not modelled")
        other = self._node(record, record.ino2, record.path2) if record.ino2 else None
        if record.flags & RENAME_EXCHANGE:
            self._change(record, [(*a, other), (*b, node)], [a, b])
        else:
            self._change(record, [(*a, None), (*b, node)], [a])

    def _write(self, record):
        node = self._node(record)
        self._data(record, node, synced=bool(record.flags & WRITE_IS_SYNC))

    def _truncate(self, record):
        self._data(record, self._node(record))

    _fallocate = _truncate

    def _chmod(self, record):
        # Taken as certain at once: no test here is about a mode that was lost.
        self._node(record).mode = stat.S_IMODE(record.mode)

    def _foreign(self, record):
        raise Unusable(f"record {record.seq}: {record.path!r} was renamed or linked into the folder from outside, "
                       "so its content is not in the log")

    def _mapped(self, record):
        if not record.path.endswith("-shm"):
            raise Unusable(f"record {record.seq}: {record.path!r} is mapped shared and writable; "
                           "stores to memory cannot be recorded")
        self._node(record)

    def _fsync(self, record):
        node = self._node(record)
        if node.kind == "folder":
            self._keep(self.by_folder.get(node, ()))
        else:
            self._keep_data(node)
            if self.posix == "lenient":
                self._keep([seq for seq, change in self.changes.items() if any(n is node for _, _, n in change.sets)])

    _fdatasync = _fsync

    def _sync(self, record):
        self._keep(self.changes)
        for node in list(self.dirty):
            self._keep_data(node)

    _syncfs = _sync

    def _fault(self, record):
        if OPS[record.flags] in ("fsync", "fdatasync"):
            # Linux marks the pages clean after a failed write-back. The data may
            # or may not be on the disk, and a later fsync that succeeds says
            # nothing about it: a program that just tries again is wrong.
            node = self._node(record)
            if node.kind == "file":
                node.broken = True
                for entry in node.pending:
                    if entry[1] == UNSYNCED:
                        entry[1] = DOUBTFUL

    # ---- what is certain

    def _keep(self, seqs):
        """Makes changes of names certain, with everything they need."""
        todo, seqs = list(seqs), set()
        while todo:
            seq = todo.pop()
            if seq in self.changes and seq not in seqs:
                seqs.add(seq)
                todo += self.changes[seq].needs
        for seq in sorted(seqs):
            change = self.changes.pop(seq)
            for folder, name, node in change.sets:
                self.by_folder[folder].discard(seq)
                if seq > folder.kept_seq.get(name, 0):
                    folder.kept_seq[name] = seq
                    folder.kept[name] = node

    def _keep_data(self, node):
        if node.broken:
            # Lost and certain changes are interleaved from now on, so none can be merged into `base`.
            for entry in node.pending:
                if entry[1] == UNSYNCED:
                    entry[1] = SYNCED
        elif node.pending:
            for record, _ in node.pending:
                apply_data(node.base, record)
            node.pending = []
            del self.dirty[node]

    # ---- one possible disk

    def image(self, seed):
        """One folder that may be on the disk: {path: Entry}. The same seed gives the same folder.

        The contents are not copies: they are valid until the next advance().
        """
        rng = random.Random(f"{self.cut}/{seed}")
        style = STYLES[seed] if 0 <= seed < len(STYLES) else rng.choice(RANDOM_STYLES)
        choice = _Choice(style, rng, self._unsynced() if style == "prefix" else ())

        kept = {seq for seq in self.changes if choice.name(seq)}
        for seq in sorted(kept, reverse=True):  # needs point backwards only, but may chain
            todo = [seq]
            while todo:
                more = [n for n in self.changes[todo.pop()].needs if n in self.changes and n not in kept]
                kept.update(more)
                todo += more
        names = {}  # folder -> {name: node}, for those that differ from `kept`
        for seq in sorted(kept):
            for folder, name, node in self.changes[seq].sets:
                # A later change of this entry is already certain: this one lies under it.
                if seq > folder.kept_seq.get(name, 0):
                    names.setdefault(folder, dict(folder.kept))[name] = node

        found, seen, contents = {}, set(), {}
        todo = [("", self.root)]
        while todo:
            above, folder = todo.pop()
            if folder in seen:
                continue
            seen.add(folder)
            entries = names.get(folder, folder.kept)
            for name in sorted(entries):
                node = entries[name]
                path = above + name
                if node is None or name.endswith("-shm"):
                    continue  # SQLite makes its shared memory anew
                content = node.base
                if node.kind == "folder":
                    todo.append((path + "/", node))
                elif node.pending:
                    if node not in contents:
                        contents[node] = choice.content(node)
                    content = contents[node]
                found[path] = Entry(node.kind, node.mode, content)
        return found

    def _unsynced(self):
        seqs = list(self.changes)
        for node in self.dirty:
            seqs += [record.seq for record, state in node.pending if state != SYNCED]
        return sorted(seqs)

    def write(self, seed, target):
        """Writes image(seed) to the folder `target`, which is emptied first, and returns the image."""
        image = self.image(seed)
        if os.path.lexists(target):
            shutil.rmtree(target)
        os.makedirs(target)
        for path, entry in image.items():
            full = os.path.join(target, path)
            if entry.kind == "folder":
                os.mkdir(full)
            elif entry.kind == "link":
                os.symlink(entry.content, os.fsencode(full))
            else:
                fd = os.open(full, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                with os.fdopen(fd, "wb") as file:
                    file.write(entry.content)
                    os.fchmod(fd, entry.mode)
        # Last, and inner ones first, because a folder may forbid writing.
        for path, entry in sorted(image.items(), reverse=True):
            if entry.kind == "folder":
                os.chmod(os.path.join(target, path), entry.mode)
        return image

    def check(self, actual):
        """Replays the whole log and raises Unusable unless it gives exactly the folder `actual`.

        This is the proof that no operation escaped the shim. Call it after every
        recorded run, before any cut is believed.
        """
        self.advance(len(self.log))
        expected, real = self.image(STYLES.index("all")), _entries(_load(actual))
        wrong = sorted(path for path in expected.keys() | real.keys() if expected.get(path) != real.get(path))
        if wrong:
            raise Unusable(f"{len(wrong)} paths differ from the recorded operations, first: {wrong[:5]}; "
                           "see README.md, 'What escapes'")


class _Choice:
    """What of the unsynced operations is on the disk, for one seed."""

    def __init__(self, style, rng, unsynced):
        self.style, self.rng = style, rng
        self.likely = rng.choice((0.2, 0.5, 0.8))
        self.grain = rng.choice((512, 4096))
        self.last = rng.choice([0, *unsynced]) if style == "prefix" else 0

    def name(self, seq):
        if self.style == "prefix":
            return seq <= self.last
        if self.style in ("all", "names", "sizes"):
            return True
        return self.style not in ("none", "data") and self.rng.random() < self.likely

    def content(self, node):
        content = bytearray(node.base)
        for record, state in node.pending:
            if state == SYNCED or self._data(record.seq):
                apply_data(content, record)
            elif record.op == "write" and self.style == "torn" and self.rng.random() < 0.7:
                self._tear(content, record)
            elif record.op == "write" and (self.style == "sizes" or self.style == "zeros" and self.rng.random() < 0.5):
                # Delayed allocation: the new size is on the disk, the data is not.
                resize(content, max(len(content), record.offset + record.length))
        return content

    def _data(self, seq):
        if self.style == "prefix":
            return seq <= self.last
        if self.style in ("all", "data"):
            return True
        return self.style not in ("none", "names", "sizes") and self.rng.random() < self.likely

    def _tear(self, content, record):
        """Some sectors or pages of a write: its first ones, or any."""
        end = record.offset + record.length
        first = record.offset // self.grain
        pieces = range(first, (end + self.grain - 1) // self.grain)
        if self.rng.random() < 0.5:
            keep = set(pieces[:self.rng.randint(0, len(pieces) - 1)])
        else:
            keep = {piece for piece in pieces if self.rng.random() < 0.5}
        for piece in pieces:
            a, b = max(record.offset, piece * self.grain), min(end, (piece + 1) * self.grain)
            if piece in keep:
                put(content, a, record.data[a - record.offset:b - record.offset])


def _name(path):
    return path.rpartition("/")[2]


def _load(path):
    """A folder as nodes. Hard links stay one node. Sockets and FIFOs hold no data and are left out."""
    seen = {}

    def load(path):
        st = os.lstat(path)
        key = st.st_dev, st.st_ino
        if key in seen:
            return seen[key]
        if stat.S_ISDIR(st.st_mode):
            node = Node("folder", st.st_mode)
            for name in os.listdir(path):
                child = load(os.path.join(path, name))
                if child:
                    node.kept[name] = node.live[name] = child
        elif stat.S_ISLNK(st.st_mode):
            node = Node("link", st.st_mode, os.fsencode(os.readlink(path)))
        elif stat.S_ISREG(st.st_mode):
            with open(path, "rb") as file:
                node = Node("file", st.st_mode, file.read())
        else:
            return None
        seen[key] = node
        return node

    return load(path)


def _entries(folder, above=""):
    found = {}
    for name, node in folder.live.items():
        if not name.endswith("-shm"):
            found[above + name] = Entry(node.kind, node.mode, node.base)
            if node.kind == "folder":
                found.update(_entries(node, above + name + "/"))
    return found


def rebuild(log, cut, seed, target, initial=None, posix="strict"):
    """One folder for one cut and seed. For many cuts keep a Timeline: this one starts from the beginning."""
    timeline = Timeline(records(log), initial, posix)
    timeline.advance(cut)
    return timeline.write(seed, target)


def describe(record):
    """One line about one record."""
    parts = [f"{record.seq:6} {record.op:9} {record.dev:x}:{record.ino}"]
    if record.op == "fault":
        parts.append(f"{OPS[record.flags]} failed with {os.strerror(-record.result)}")
    if record.op in ("write", "fallocate", "mapped"):
        parts.append(f"at {record.offset} length {record.length}")
    if record.op == "write" and record.flags & WRITE_IS_SYNC:
        parts.append("synced")
    if record.op == "truncate":
        parts.append(f"to {record.length}")
    parts.append(record.path or ".")
    if record.path2:
        parts.append(f"-> {record.path2}" + (" (exchanged)" if record.flags & RENAME_EXCHANGE else ""))
    if record.op == "symlink":
        parts.append(f"-> {os.fsdecode(bytes(record.data))}")
    return " ".join(parts)


def main():
    parser = argparse.ArgumentParser(description="Build a folder as it may be after power loss.")
    parser.add_argument("log", help="the operation log (POWERLOSS_LOG)")
    parser.add_argument("--initial", help="copy of the folder from before the first record; default: empty")
    parser.add_argument("--posix", choices=("strict", "lenient"), default="strict")
    parser.add_argument("--cut", type=int, help="how many records happened; default: all")
    parser.add_argument("--seed", type=int, default=0, help=f"0 to {len(STYLES) - 1}: {', '.join(STYLES)}; above: random")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", help="write the folder here; must not exist yet")
    what.add_argument("--describe", action="store_true", help="list the records")
    what.add_argument("--count", action="store_true", help="print the number of complete records")
    what.add_argument("--check", metavar="FOLDER", help="the log must explain exactly this folder")
    args = parser.parse_args()
    try:
        log = records(args.log)
        cut = len(log) if args.cut is None else args.cut
        if args.describe:
            for record in log[:cut]:
                print(describe(record))
        elif args.count:
            print(len(log))
        elif args.check:
            Timeline(log, args.initial, args.posix).check(args.check)
        else:
            if os.path.lexists(args.out):
                raise Unusable(f"{args.out} exists; name a folder that does not")
            timeline = Timeline(log, args.initial, args.posix)
            timeline.advance(cut)
            timeline.write(args.seed, args.out)
    except (Unusable, ValueError, OSError) as error:
        sys.exit(f"rebuild: {error}")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(1)
