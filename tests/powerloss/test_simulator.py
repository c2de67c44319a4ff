#!/usr/bin/env python3
"""Tests of the simulator itself: right programs lose nothing, planted bugs are seen.

A simulator that finds nothing proves nothing, so every "never" here stands next
to a wrong program for which the same check must report a loss. Needs gcc.
"""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

import rebuild
from rebuild import Counter, Timeline, Unusable, records

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = range(20)

# What a careful and three careless programs do to replace the file "config".
OLD, NEW = b"old " * 700, b"new " * 3000
REPLACE = """
import os
fd = os.open("config.tmp", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
os.write(fd, b"new " * 3000)
if FILE_SYNC: os.fsync(fd)
os.close(fd)
os.rename("config.tmp", "config")
if FOLDER_SYNC: os.fsync(os.open(".", os.O_RDONLY))
"""

# Commits one row, tells the number, waits for an answer: so the parent knows
# how many records stood in the log when the row was acknowledged.
COMMITS = """
import sqlite3, sys
db = sqlite3.connect("log.db", isolation_level=None)
assert db.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal"
db.execute("PRAGMA synchronous=LEVEL")
db.execute("PRAGMA wal_autocheckpoint=25")
db.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)")
for i in range(COUNT):
    if i:
        db.execute("BEGIN")
        db.execute("INSERT INTO rows VALUES (?, ?)", (i, str(i) * (37 * i % 1500)))
        db.execute("COMMIT")
    print(i, flush=True)
    sys.stdin.readline()
"""


def python():
    """A real interpreter: a version manager's shell script would be recorded instead of the program."""
    found = getattr(sys, "_base_executable", None) or sys.executable
    with open(found, "rb") as file:
        assert file.read(4) == b"\x7fELF", f"{found} is no program"
    return found


class Run:
    """One recorded run: the folder, a copy from before, and the log."""

    def __init__(self, work, before=None):
        self.work = tempfile.mkdtemp(dir=work)
        self.root, self.log, self.initial = (os.path.join(self.work, name) for name in ("root", "log", "initial"))
        os.mkdir(self.root)
        for name, content in (before or {}).items():
            with open(os.path.join(self.root, name), "wb") as file:
                file.write(content)
        shutil.copytree(self.root, self.initial)

    def start(self, command, **settings):
        env = {name: value for name, value in os.environ.items() if not name.startswith("POWERLOSS_")}
        env.update(LD_PRELOAD=os.path.join(os.path.dirname(self.work), "shim.so"), POWERLOSS_ROOT=self.root,
                   POWERLOSS_LOG=self.log, **{"POWERLOSS_" + name: str(value) for name, value in settings.items()})
        return subprocess.Popen(command, cwd=self.root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def run(self, command, **settings):
        process = self.start(command, **settings)
        out, err = process.communicate(timeout=300)
        return process.returncode, out.decode(), err.decode()

    def python(self, source, **settings):
        return self.run([python(), "-ISB", "-c", source], **settings)

    def timeline(self, posix="strict", checked=True):
        timeline = Timeline(records(self.log), self.initial, posix)
        if checked:
            timeline.check(self.root)
        return timeline


def ok(result):
    code, out, err = result
    assert code == 0, f"exit {code}: {err}"
    return out


def images(timeline, seeds=SEEDS):
    for cut in range(len(timeline) + 1):
        timeline.advance(cut)
        for seed in seeds:
            yield cut, seed, timeline.image(seed)


def unusable(call):
    try:
        call()
    except Unusable as error:
        return str(error)
    raise AssertionError("accepted a log that cannot be trusted")


# ---- recording


def every_call_is_recorded(work):
    run = Run(work)
    ok(run.run([os.path.join(work, "every_call")]))
    log = records(run.log)
    seen = {record.op for record in log}
    missing = set(rebuild.OPS) - seen - {"", "mapped", "foreign", "fault"}
    assert not missing, f"never recorded: {missing}"
    run.timeline()
    assert len({record.pid for record in log}) == 4, "children are recorded"
    return f"{len(log)} records of 4 processes and 5 threads replay to exactly the folder left behind"


def what_escapes_is_noticed(work):
    every_call = os.path.join(work, "every_call")
    run = Run(work)
    ok(run.run([every_call, "stdio"]))
    assert "escaped" in unusable(run.timeline)
    run = Run(work)
    ok(run.run([every_call, "mmap"]))
    assert "mapped" in unusable(run.timeline)
    run = Run(work, {"a": b"1"})
    ok(run.python("import ctypes, os\n"
                  "assert ctypes.CDLL(None).syscall(%d, -100, b'a', -100, b'b', 0) == 0\n"
                  "os.write(os.open('b', os.O_WRONLY), b'2')" % (316 if os.uname().machine == "x86_64" else 276)))
    assert "not recorded" in unusable(run.timeline)
    run = Run(work)
    with open(os.path.join(run.work, "outside"), "wb") as file:
        file.write(b"content the log does not hold")
    ok(run.python("import os; os.rename('../outside', 'inside')"))
    assert "outside" in unusable(run.timeline)
    return "stdio, a writable mapping, a raw system call and a file from outside: 4 of 4 refused"


def half_a_record_is_ignored(work):
    run = Run(work)
    ok(run.python("import os\nfor i in range(5): os.mkdir(str(i))"))
    whole = os.path.getsize(run.log)
    counts = []
    for size in range(0, whole + 1, 7):
        shutil.copy(run.log, run.log + ".cut")
        os.truncate(run.log + ".cut", size)
        counts.append(len(records(run.log + ".cut")))
        assert Counter(run.log + ".cut").read() == counts[-1]
    assert counts == sorted(counts) and set(counts) >= {0, 1, 2, 3, 4}, counts
    os.truncate(run.log, whole - 3)
    code, _, err = run.python("import os; os.mkdir('more')")
    assert code == 97 and "half a record" in err, (code, err)
    return f"{len(counts)} cut logs read, appending to one refused"


# ---- names and files


def replace(work, file_sync, folder_sync, posix="strict"):
    """Counts over all cuts and seeds: (images, neither old nor new, old although the program had ended)."""
    run = Run(work, {"config": OLD})
    ok(run.python(f"FILE_SYNC = {file_sync}\nFOLDER_SYNC = {folder_sync}\n{REPLACE}"))
    timeline = run.timeline(posix)
    trials = damaged = lost = 0
    for cut, _, image in images(timeline):
        trials += 1
        content = bytes(image["config"].content) if "config" in image else None
        damaged += content not in (OLD, NEW)
        lost += cut == len(timeline) and content == OLD
    return trials, damaged, lost


def a_safe_write_gives_old_or_new(work):
    trials, damaged, lost = replace(work, True, True)
    assert damaged == lost == 0, (damaged, lost)
    return f"{trials} trials, {trials} successes, 0 losses"


def a_missing_file_sync_is_seen(work):
    trials, damaged, _ = replace(work, False, True)
    assert damaged > 0
    return f"{trials} trials, {trials - damaged} successes, {damaged} losses (wanted: more than 0)"


def a_missing_folder_sync_is_seen(work):
    trials, damaged, lost = replace(work, True, False)
    assert damaged == 0 and lost > 0, (damaged, lost)
    return f"{trials} trials, {trials - lost} successes, {lost} losses (wanted: more than 0)"


def a_new_file_needs_its_folder_synced_only_when_strict(work):
    run = Run(work)
    ok(run.python("import os; fd = os.open('f', os.O_CREAT | os.O_WRONLY); os.write(fd, b'1'); os.fsync(fd)"))
    lost = {}
    for posix in ("strict", "lenient"):
        timeline = run.timeline(posix)
        timeline.advance(len(timeline))
        lost[posix] = sum("f" not in timeline.image(seed) for seed in SEEDS)
    assert lost["strict"] > 0 and lost["lenient"] == 0, lost
    return f"{len(SEEDS)} trials each: strict loses {lost['strict']}, lenient 0"


def a_move_between_folders_is_atomic(work):
    run = Run(work)
    ok(run.python("""
import os
def sync(path): os.fsync(os.open(path, os.O_RDONLY))
os.mkdir("tmp"); os.mkdir("new"); os.mkdir("cur")
fd = os.open("tmp/m", os.O_CREAT | os.O_WRONLY); os.write(fd, b"message"); os.fsync(fd)
sync("tmp"); sync(".")
os.rename("tmp/m", "new/m")
os.rename("new/m", "cur/m")
sync("cur")
os.rename("cur/m", "tmp/m")
"""))
    timeline = run.timeline()
    synced = max(record.seq for record in timeline.log if record.op == "fsync" and record.path == "")
    places, trials = set(), 0
    for cut, _, image in images(timeline):
        if cut >= synced:
            found = [path for path, entry in image.items() if path.endswith("/m") and bytes(entry.content) == b"message"]
            assert len(found) == 1, (cut, found)
            places.add(found[0])
            trials += 1
    assert places == {"tmp/m", "new/m", "cur/m"}, places
    return f"{trials} trials, the file always in exactly one of 3 folders"


def a_name_used_before_does_not_come_back(work):
    # The move out of "tmp" is on the disk, an earlier use of the same name there is not.
    run = Run(work)
    ok(run.python("""
import os
def make(path): os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
def sync(path): os.fsync(os.open(path, os.O_RDONLY))
os.mkdir("tmp"); os.mkdir("new"); sync(".")
make("tmp/m"); make("tmp/x")
os.rename("tmp/x", "tmp/m")
os.rename("tmp/m", "new/m")
sync("new"); make("tmp/y"); sync("tmp")
"""))
    timeline = run.timeline()
    synced = next(record.seq for record in timeline.log if record.op == "fsync" and record.path == "new")
    trials = 0
    for cut, _, image in images(timeline):
        if cut >= synced:
            assert "new/m" in image and "tmp/m" not in image and "tmp/x" not in image, (cut, sorted(image))
            trials += 1
    return f"{trials} trials, {trials} successes"


def writes_tear_at_sectors_and_pages(work):
    old, new = b"\x01" * 20000, b"\x02" * 20000
    run = Run(work, {"f": old})
    ok(run.python("import os; os.pwrite(os.open('f', os.O_WRONLY), b'\\x02' * 20000, 0)"))
    timeline = run.timeline()
    timeline.advance(len(timeline))
    torn = fine = coarse = 0
    for seed in range(400):
        content = bytes(timeline.image(seed)["f"].content)
        edges = [i for i in range(1, len(content)) if content[i] != content[i - 1]]
        assert all(edge % 512 == 0 for edge in edges), edges
        torn += bool(edges)
        fine += any(edge % 4096 for edge in edges)
        coarse += bool(edges) and not any(edge % 4096 for edge in edges)
    assert fine and coarse and torn < 400, (torn, fine, coarse)
    run = Run(work)
    ok(run.python("import os; os.write(os.open('f', os.O_CREAT | os.O_WRONLY), b'\\x02' * 5000)"))
    timeline = run.timeline()
    timeline.advance(len(timeline))
    grown = sum("f" in image and bytes(image["f"].content) == bytes(5000) for image in map(timeline.image, SEEDS))
    assert grown > 0, "a size without its data"
    return f"400 trials, {torn} torn ({fine} at 512, {coarse} at 4096 bytes); {grown} of 20 grown by zeros"


def a_synchronous_write_is_kept(work):
    run = Run(work, {"f": b"old", "g": b"old"})
    source = ("import os\nos.write(os.open('f', os.O_WRONLY | os.O_DSYNC), b'new')\n"
              "os.write(os.open('g', os.O_WRONLY), b'new')")
    ok(run.python(source))
    timeline = run.timeline()
    timeline.advance(len(timeline))
    f, g = ([bytes(timeline.image(seed)[name].content) for seed in SEEDS] for name in "fg")
    assert set(f) == {b"new"} and set(g) == {b"new", b"old"}
    return f"{len(SEEDS)} trials, 0 losses; without O_DSYNC {g.count(b'old')}"


# ---- SQLite


def commits(work, count, level="FULL", **settings):
    """Runs the committing program, kills it, and gives the run and [(records when acknowledged, row)]."""
    run = Run(work)
    source = COMMITS.replace("COUNT", str(count)).replace("LEVEL", level)
    process = run.start([python(), "-ISB", "-c", source], **settings)
    counter, acknowledged = Counter(run.log), []
    for line in process.stdout:
        acknowledged.append((counter.read(), int(line)))
        if len(acknowledged) == count:
            process.kill()  # no clean shutdown; and the log must survive it
            break
        process.stdin.write(b"\n")
        process.stdin.flush()
    process.communicate()
    assert process.returncode == -signal.SIGKILL and len(acknowledged) == count, process.returncode
    return run, acknowledged


def state_of(folder):
    """(integrity, ids of the rows) of a rebuilt database; no table yet is no rows."""
    db = sqlite3.connect(os.path.join(folder, "log.db"))
    try:
        db.execute("PRAGMA synchronous=OFF")  # only the answer counts here, and it is thrown away
        integrity = db.execute("PRAGMA integrity_check").fetchone()[0]
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'rows'").fetchone():
            return integrity, None
        rows = db.execute("SELECT id, body FROM rows ORDER BY id").fetchall()
        assert all(body == str(i) * (37 * i % 1500) for i, body in rows), "a row's content changed"
        return integrity, [i for i, _ in rows]
    except sqlite3.DatabaseError as error:
        return str(error), None
    finally:
        db.close()


def lose_power(run, acknowledged, cuts, seeds):
    """(trials, trials that lost an acknowledged row, trials with a broken database) over cuts and seeds."""
    timeline = run.timeline()
    target = os.path.join(run.work, "after")
    trials = lost = broken = 0
    for cut in cuts(len(timeline)):
        timeline.advance(cut)
        promised = max((row for count, row in acknowledged if count <= cut), default=None)
        for seed in seeds(cut):
            timeline.write(seed, target)
            integrity, rows = state_of(target)
            trials += 1
            broken += integrity != "ok"
            # Row 0 stands for the table. Rows come in order, so a gap is a loss, too.
            lost += promised is not None and (rows is None or rows[:promised] != list(range(1, promised + 1)))
    return trials, lost, broken


def sqlite_keeps_acknowledged_rows(work):
    run, acknowledged = commits(work, 150)
    checkpoints = sum(record.op == "fdatasync" and record.path == "log.db" for record in records(run.log))
    assert checkpoints >= 3, "the run has to contain checkpoints"
    # Every cut with the harshest choice and five others that change from cut to cut.
    trials, lost, broken = lose_power(run, acknowledged, lambda n: range(n + 1),
                                      lambda cut: (0, *(1 + (5 * cut + i) % 40 for i in range(5))))
    assert lost == broken == 0, (lost, broken)
    return (f"{trials} trials, {trials} successes, 0 losses, 0 broken; "
            f"{len(acknowledged)} commits, {checkpoints} checkpoints")


def sqlite_with_normal_sync_loses_rows_but_never_breaks(work):
    # What SQLite's documentation says about WAL and NORMAL: this shows that the model is neither too kind nor too harsh.
    run, acknowledged = commits(work, 100, level="NORMAL")
    trials, lost, broken = lose_power(run, acknowledged, lambda n: range(0, n + 1, 2), lambda cut: (0, 2 + cut % 60, 9 + cut))
    assert lost > 0 and broken == 0, (lost, broken)
    return f"{trials} trials, {trials - lost} successes, {lost} losses (wanted: more than 0), 0 broken"


def sqlite_without_sync_is_seen_to_lose(work):
    run, acknowledged = commits(work, 60, IGNORE_SYNC=1)
    # Without "none" (0), which loses everything in any case and so shows nothing.
    trials, lost, broken = lose_power(run, acknowledged, lambda n: range(0, n + 1, 5), lambda cut: range(4, 12))
    assert lost > 0
    return f"{trials} trials, {trials - lost} successes, {lost} losses (wanted: more than 0), {broken} broken"


# ---- faults

SHORT = """
import os
def step(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        print(error.errno, flush=True)
        raise SystemExit(3)
fd = step(os.open, "a", os.O_CREAT | os.O_WRONLY, 0o644)
step(os.write, fd, b"some data")
step(os.fsync, fd)
step(os.rename, "a", "b")
step(os.mkdir, "dir")
step(os.link, "b", "c")
step(os.write, fd, b"more data")
step(os.ftruncate, fd, 4)
step(os.fdatasync, fd)
step(os.rename, "c", "dir/c")
step(os.unlink, "b")
step(os.symlink, "x", "s")
step(os.fsync, step(os.open, ".", os.O_RDONLY))
"""


def a_kill_at_every_operation(work):
    run = Run(work)
    ok(run.python(SHORT))
    whole = records(run.log)
    assert [record.op for record in whole] == ["create", "write", "fsync", "rename", "mkdir", "link", "write", "truncate",
                                               "fdatasync", "rename", "unlink", "symlink", "fsync"]
    for n in range(1, len(whole) + 1):
        run = Run(work)
        code, _, err = run.python(SHORT, KILL_AT=n)
        assert code == -signal.SIGKILL, (n, code, err)
        assert [r.op for r in records(run.log)] == [r.op for r in whole[:n - 1]]
        run.timeline()  # the operation itself was not done
    ok(Run(work).python(SHORT, KILL_AT=len(whole) + 1))
    for kind, n, before in (("rename", 1, 3), ("rename", 2, 9), ("fsync,fdatasync", 2, 8)):
        run = Run(work)
        code, _, _ = run.python(SHORT, KILL_AT=n, KILL_OP=kind)
        assert code == -signal.SIGKILL and len(records(run.log)) == before, (kind, n, code)
    return f"{len(whole)} of {len(whole)} operations, 3 by kind"


def a_failure_at_every_operation(work):
    run = Run(work)
    ok(run.python(SHORT))
    whole, trials = records(run.log), 0
    for n, record in enumerate(whole, 1):
        for name in ("EIO", "ENOSPC", "EDQUOT", "EROFS"):
            run = Run(work)
            code, out, err = run.python(SHORT, FAIL_AT=f"{n}:{name}")
            assert code == 3 and int(out) == getattr(errno, name), (n, name, code, out, err)
            last = records(run.log)[-1]
            assert (last.op, rebuild.OPS[last.flags], last.result) == ("fault", record.op, -getattr(errno, name))
            run.timeline()
            trials += 1
    run = Run(work)
    code, out, _ = run.python(SHORT, FAIL_AT=2, FAIL_OP="write")
    assert code == 3 and int(out) == errno.EIO and len(records(run.log)) == 7
    return f"{trials} of {trials} failures with the right errno"


def a_full_disk_stays_full_until_told(work):
    run = Run(work)
    out = ok(run.python("""
import os
fd = os.open("a", os.O_CREAT | os.O_WRONLY)
for i in range(8):
    if i == 6: os.close(os.open("../space", os.O_CREAT | os.O_WRONLY))
    try: os.write(fd, b"12345")
    except OSError as error: print(i, error.errno)
""", FAIL_AT="3:ENOSPC", FAIL_OP="write,mkdir", FAIL_UNTIL=os.path.join(run.work, "space")))
    assert out.split("\n")[:-1] == [f"{i} {errno.ENOSPC}" for i in (2, 3, 4, 5)], out
    run.timeline()
    return "4 of 8 writes refused"


def trying_a_failed_fsync_again_is_seen(work):
    source = """
import os
fd = os.open("a", os.O_WRONLY)
os.write(fd, b"new")
try: os.fsync(fd)
except OSError:
    if AGAIN: os.lseek(fd, 0, 0); os.write(fd, b"new")
    os.fsync(fd)
"""
    lost = {}
    for again in (False, True):
        run = Run(work, {"a": b"old"})
        ok(run.python(f"AGAIN = {again}\n{source}", FAIL_AT=1, FAIL_OP="fsync"))
        timeline = run.timeline()
        timeline.advance(len(timeline))
        lost[again] = sum(bytes(timeline.image(seed)["a"].content) != b"new" for seed in SEEDS)
    assert lost[False] > 0 and lost[True] == 0, lost
    return f"{len(SEEDS)} trials: {lost[False]} losses (wanted: more than 0), 0 when the data is written again"


# ---- the builder


def seeds_and_order_of_cuts_do_not_matter(work):
    run = Run(work, {"config": OLD})
    ok(run.python(f"FILE_SYNC = FOLDER_SYNC = True\n{REPLACE}"))
    timeline, backward = run.timeline(), run.timeline()
    forward = [{path: (e.kind, bytes(e.content)) for path, e in image.items()} for _, _, image in images(timeline)]
    cuts = range(len(backward), -1, -1)
    again = []
    for cut in cuts:
        backward.advance(cut)
        again.insert(0, [{path: (e.kind, bytes(e.content)) for path, e in backward.image(seed).items()} for seed in SEEDS])
    assert forward == [image for one_cut in again for image in one_cut]
    tool = [sys.executable, os.path.join(HERE, "rebuild.py"), run.log, "--initial", run.initial]
    out = os.path.join(run.work, "out")
    for cut in range(len(timeline) + 1):
        subprocess.run([*tool, "--cut", str(cut), "--seed", "12", "--out", out], check=True)
        with open(os.path.join(out, "config"), "rb") as file:
            assert forward[cut * len(SEEDS) + 12]["config"][1] == file.read()
        shutil.rmtree(out)
    subprocess.run([*tool, "--check", run.root], check=True)
    lines = subprocess.run([*tool, "--describe"], check=True, capture_output=True).stdout.splitlines()
    count = subprocess.run([*tool, "--count"], check=True, capture_output=True).stdout
    assert len(lines) == int(count) == len(timeline)
    return f"{len(forward)} folders the same forward, backward; {len(timeline) + 1} by the command"


def thousands_of_cuts_a_minute(work):
    run = Run(work)
    ok(run.python("""
import os
files = [os.open(f"file{i}", os.O_CREAT | os.O_WRONLY) for i in range(10)]
for i in range(30000):
    os.pwrite(files[i % 10], bytes([i % 251]) * 200, i * 17 % 400000)
    if i % 100 == 99: os.fdatasync(files[i // 100 % 10])
"""))
    timeline = run.timeline()
    target, built, start = os.path.join(run.work, "after"), 0, time.monotonic()
    for cut in range(0, len(timeline), 50):
        timeline.advance(cut)
        timeline.write(built, target)
        built += 1
    rate = built / (time.monotonic() - start) * 60
    assert rate > 2000, rate
    return f"{len(timeline)} records, {built} folders written, {rate:.0f} a minute"


TESTS = (
    every_call_is_recorded, what_escapes_is_noticed, half_a_record_is_ignored, a_safe_write_gives_old_or_new,
    a_missing_file_sync_is_seen, a_missing_folder_sync_is_seen, a_new_file_needs_its_folder_synced_only_when_strict,
    a_move_between_folders_is_atomic, a_name_used_before_does_not_come_back,
    writes_tear_at_sectors_and_pages, a_synchronous_write_is_kept,
    sqlite_keeps_acknowledged_rows, sqlite_with_normal_sync_loses_rows_but_never_breaks,
    sqlite_without_sync_is_seen_to_lose, a_kill_at_every_operation,
    a_failure_at_every_operation, a_full_disk_stays_full_until_told, trying_a_failed_fsync_again_is_seen,
    seeds_and_order_of_cuts_do_not_matter, thousands_of_cuts_a_minute,
)


def main():
    wanted = sys.argv[1:]
    chosen = [test for test in TESTS if not wanted or test.__name__ in wanted]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="powerloss-") as work:
        flags = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([*flags, "-shared", "-fPIC", "-fvisibility=hidden", "-o", os.path.join(work, "shim.so"),
                        os.path.join(HERE, "shim.c")], check=True)
        subprocess.run([*flags, "-pthread", "-o", os.path.join(work, "every_call"), os.path.join(HERE, "every_call.c")],
                       check=True)
        for test in chosen:
            start = time.monotonic()
            name = test.__name__.replace("_", " ")
            try:
                print(f"ok      {name}: {test(work)} ({time.monotonic() - start:.1f} s)", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed > 0 or not chosen


if __name__ == "__main__":
    sys.exit(main())
