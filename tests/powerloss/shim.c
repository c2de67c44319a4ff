/*
 * LD_PRELOAD library that records every file operation that changes a folder,
 * so that rebuild.py can work out what the folder may hold after power loss.
 *
 *   gcc -shared -fPIC -O2 -Wall -o shim.so shim.c
 *
 * Rules everything here follows:
 *
 *  - One lock is held over the real operation and its record, so the order of
 *    the log is the order in which things happened, across threads and child
 *    processes. A process killed between the two has not returned from the
 *    call, so nothing it told anyone can depend on the missing record.
 *  - A descriptor is recognised when it is used (fstat and /proc/self/fd), not
 *    when it is opened. Thus dup, fcntl, fork, exec and passed descriptors need
 *    no bookkeeping that could be wrong.
 *  - The real work is done by raw system calls: no dlsym, no allocation, no
 *    recursion into ourselves, safe before other libraries are set up.
 *  - When a record cannot be written the process ends with status 97. A log
 *    with a gap would make the whole simulation worthless.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if !defined(__LP64__)
#error "64-bit Linux only: the raw system calls below pass 64-bit offsets in one register"
#endif

#define EXPORT __attribute__((visibility("default")))

/* Numbers are part of the log format: rebuild.py holds the same list. */
enum op {
    OP_CREATE = 1, OP_TMPFILE, OP_WRITE, OP_TRUNCATE, OP_FALLOCATE, OP_RENAME,
    OP_LINK, OP_UNLINK, OP_RMDIR, OP_MKDIR, OP_SYMLINK, OP_CHMOD, OP_FSYNC,
    OP_FDATASYNC, OP_SYNCFS, OP_SYNC, OP_MAPPED, OP_FOREIGN, OP_FAULT, OP_COUNT
};
static const char *const op_names[OP_COUNT] = {
    "", "create", "tmpfile", "write", "truncate", "fallocate", "rename",
    "link", "unlink", "rmdir", "mkdir", "symlink", "chmod", "fsync",
    "fdatasync", "syncfs", "sync", "mapped", "foreign", "fault",
};

#define MAGIC 0x504c4f53u /* "PLOS" */
#define WRITE_IS_SYNC 1u  /* flag of OP_WRITE: O_SYNC, O_DSYNC or RWF_DSYNC */

/* One record: this head, path, path2, data. Little endian, no padding. */
struct head {
    uint32_t magic, size; /* size of the whole record */
    uint64_t seq;         /* 1, 2, 3, ... */
    uint32_t op, flags;
    uint64_t dev, ino;        /* what the operation is about */
    uint64_t parent, parent2; /* folder of path, of path2 */
    uint64_t ino2;            /* rename: what stood at path2, or 0 */
    int64_t offset, length, result;
    uint32_t mode, pid;
    uint32_t path_len, path2_len;
};
_Static_assert(sizeof(struct head) == 104, "rebuild.py unpacks 104 bytes");

/* Where a name stands: its folder, and its path relative to the root. */
struct place {
    int inside;
    uint64_t dev, parent;
    char path[PATH_MAX];
};

/* ---- settings and state ------------------------------------------------ */

static char root[PATH_MAX];
static size_t root_len;
static uint64_t root_dev;
static int active, ignore_sync;
static uint64_t kill_at, fail_at;
static uint32_t kill_mask, fail_mask; /* one bit for each kind; 0 = every record */
static int fail_errno;
static const char *fail_until;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static uint64_t log_ino, log_end, seq, killable, failable;
static char *buffer;
static size_t buffer_size;

static void die(const char *what) {
    static const char prefix[] = "powerloss shim: ";
    struct iovec v[3] = {{(void *)prefix, sizeof prefix - 1}, {(void *)what, strlen(what)}, {"\n", 1}};
    syscall(SYS_writev, 2, v, 3);
    syscall(SYS_exit_group, 97);
}

static uint32_t kinds(const char *list) {
    uint32_t mask = 0;
    while (list && *list) {
        size_t n = strcspn(list, ",");
        int i = 1;
        while (i < OP_COUNT && !(strlen(op_names[i]) == n && !strncmp(op_names[i], list, n))) i++;
        if (i == OP_COUNT) die("unknown kind of operation in POWERLOSS_KILL_OP or POWERLOSS_FAIL_OP");
        mask |= 1u << i;
        list += n + (list[n] == ',');
    }
    return mask;
}

static uint64_t number(const char *text, const char **rest) {
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    if (errno || end == text || n == 0) die("POWERLOSS_KILL_AT and POWERLOSS_FAIL_AT count from 1");
    *rest = end;
    return n;
}

static void lock_mutex(void) { pthread_mutex_lock(&mutex); }
static void unlock_mutex(void) { pthread_mutex_unlock(&mutex); }

static void setup(void) {
    const char *folder = getenv("POWERLOSS_ROOT"), *log = getenv("POWERLOSS_LOG"), *rest;
    struct stat st;
    if (!folder || !log) return; /* preloaded but not asked for anything */
    if (!realpath(folder, root) || stat(root, &st) || !S_ISDIR(st.st_mode)) die("POWERLOSS_ROOT is no folder");
    root_len = strlen(root);
    root_dev = st.st_dev;

    int fd = syscall(SYS_openat, AT_FDCWD, log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) die("cannot open POWERLOSS_LOG");
    /* A high number keeps the log out of the way of programs that expect the lowest one. */
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
    if (log_fd < 0) log_fd = fd; else syscall(SYS_close, fd);
    fstat(log_fd, &st);
    log_ino = st.st_ino;
    char where[PATH_MAX];
    if (!realpath(log, where)) die("cannot resolve POWERLOSS_LOG");
    if (!strncmp(where, root, root_len) && where[root_len] == '/') die("POWERLOSS_LOG must be outside POWERLOSS_ROOT");

    const char *text = getenv("POWERLOSS_IGNORE_SYNC");
    ignore_sync = text && !strcmp(text, "1");
    kill_mask = kinds(getenv("POWERLOSS_KILL_OP"));
    fail_mask = kinds(getenv("POWERLOSS_FAIL_OP"));
    if ((text = getenv("POWERLOSS_KILL_AT"))) {
        kill_at = number(text, &rest);
        if (*rest) die("POWERLOSS_KILL_AT is a number");
    }
    if ((text = getenv("POWERLOSS_FAIL_AT"))) {
        fail_at = number(text, &rest);
        fail_until = getenv("POWERLOSS_FAIL_UNTIL");
        if (!*rest || !strcmp(rest, ":EIO")) fail_errno = EIO;
        else if (!strcmp(rest, ":ENOSPC")) fail_errno = ENOSPC;
        else if (!strcmp(rest, ":EDQUOT")) fail_errno = EDQUOT;
        else if (!strcmp(rest, ":EROFS")) fail_errno = EROFS;
        else die("POWERLOSS_FAIL_AT is N, N:EIO, N:ENOSPC, N:EDQUOT or N:EROFS");
    }
    /* Without this a fork while another thread holds the mutex leaves it held for ever in the child. */
    pthread_atfork(lock_mutex, unlock_mutex, unlock_mutex);
    active = 1;
}

/* Another library's constructor may come first, so each call asks, too. */
static int on(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, setup);
    return active;
}
__attribute__((constructor)) static void start(void) { on(); }

/* ---- the log ----------------------------------------------------------- */

static void count(const struct head *h) {
    seq = h->seq;
    if (!kill_mask || (kill_mask >> h->op & 1)) killable++;
    /* An injected failure counts as well, otherwise the N-th would be found again and again. */
    uint32_t kind = h->op == OP_FAULT ? h->flags : h->op;
    if (!fail_mask || (fail_mask >> kind & 1)) failable++;
}

/* Takes the lock and reads what other processes have appended meanwhile. */
static void lock(void) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    struct head h;
    lock_mutex();
    /* Record locks belong to a process and end with it, however it ends. */
    while (syscall(SYS_fcntl, log_fd, F_SETLKW, &whole))
        if (errno != EINTR) die("cannot lock the operation log (descriptor closed by the program?)");
    if (fstat(log_fd, &st) || st.st_ino != log_ino) die("the operation log's descriptor was replaced by the program");
    while (log_end < (uint64_t)st.st_size) {
        if (syscall(SYS_pread64, log_fd, &h, sizeof h, log_end) != sizeof h || h.magic != MAGIC ||
            h.size < sizeof h || log_end + h.size > (uint64_t)st.st_size)
            die("the operation log ends in half a record: a process was killed while writing it; use a new log");
        count(&h);
        log_end += h.size;
    }
}

static void unlock(void) {
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    syscall(SYS_fcntl, log_fd, F_SETLK, &whole);
    unlock_mutex();
}

/* Makes room for a record with `data` bytes; the data goes to the returned address.
 * `path_len` counts both paths, so that append() finds the data where it was put. */
static char *room(size_t path_len, size_t data) {
    size_t need = sizeof(struct head) + path_len + data;
    if (need > UINT32_MAX) die("a record above 4 GiB");
    if (need > buffer_size) {
        size_t size = need + (1 << 20);
        char *fresh = (char *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED) die("out of memory");
        if (buffer) munmap(buffer, buffer_size);
        buffer = fresh;
        buffer_size = size;
    }
    return buffer + sizeof(struct head) + path_len;
}

/* Appends one record; `data` bytes were put where room() said. */
static void append(struct head h, const char *path, const char *path2, size_t data) {
    h.path_len = strlen(path);
    h.path2_len = strlen(path2);
    room(h.path_len + h.path2_len, data);
    h.magic = MAGIC;
    h.size = sizeof h + h.path_len + h.path2_len + data;
    h.seq = seq + 1;
    h.pid = getpid();
    memcpy(buffer, &h, sizeof h);
    memcpy(buffer + sizeof h, path, h.path_len);
    memcpy(buffer + sizeof h + h.path_len, path2, h.path2_len);
    if (syscall(SYS_write, log_fd, buffer, (size_t)h.size) != (long)h.size) die("cannot write the operation log");
    log_end += h.size;
    count(&h);
}

static void append_fault(enum op op, uint64_t dev, uint64_t ino, const char *path, int error) {
    append((struct head){.op = OP_FAULT, .flags = op, .dev = dev, .ino = ino, .result = -error}, path, "", 0);
}

/*
 * The fault points: called under the lock right before the real operation.
 * Kills the process, or gives the errno the operation has to fail with, or 0.
 */
static int fault(enum op op, uint64_t dev, uint64_t ino, const char *path) {
    if (kill_at && killable + 1 == kill_at && (!kill_mask || (kill_mask >> op & 1)))
        for (;;) syscall(SYS_kill, getpid(), SIGKILL);
    if (!fail_at || (fail_mask && !(fail_mask >> op & 1))) return 0;
    int due = failable + 1 == fail_at;
    if (fail_until && failable + 1 >= fail_at) due = syscall(SYS_faccessat, AT_FDCWD, fail_until, F_OK) != 0;
    if (!due) return 0;
    append_fault(op, dev, ino, path, fail_errno);
    return fail_errno;
}

/* Every wrapper ends here: unlocks and reports as the system call would. */
static long done(long rc, int error) {
    unlock();
    if (rc < 0) errno = error;
    return rc;
}

/* ---- what is under the root -------------------------------------------- */

static int relative(const char *full, char *out) {
    if (strncmp(full, root, root_len) || (full[root_len] && full[root_len] != '/')) return 0;
    strcpy(out, full[root_len] ? full + root_len + 1 : "");
    return 1;
}

/* The path of a descriptor relative to the root; 0 when it is elsewhere. */
static int path_of(int fd, char *out) {
    char link[40], full[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, full, sizeof full - 1);
    if (n < 0 && errno != ENOENT) die("cannot read /proc/self/fd");
    if (n < 0) return 0; /* closed meanwhile by another thread */
    full[n] = 0;
    return relative(full, out);
}

/* A regular file or folder under the root. The caller's errno stays as it is. */
static int ours(int fd, struct stat *st, char *path) {
    if (fd < 0 || !on()) return 0;
    int saved = errno;
    int yes = !fstat(fd, st) && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) && path_of(fd, path);
    errno = saved;
    return yes;
}

/* As ours(), then takes the lock and reads size and path again: they may have changed meanwhile. */
static int lock_ours(int fd, struct stat *st, char *path) {
    if (!ours(fd, st, path)) return 0;
    lock();
    if (ours(fd, st, path)) return 1;
    unlock();
    return 0;
}

static int open_folder(int dirfd, const char *path) {
    int fd = syscall(SYS_openat, dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) die("cannot look up a path: no descriptor left");
    return fd; /* with any other error the real operation fails, too */
}

/* Finds the folder and name a path means, through links, whether it exists or not. Under the lock. */
static void resolve(int dirfd, const char *path, int follow, struct place *p) {
    char text[PATH_MAX], target[PATH_MAX];
    int at = dirfd;
    p->inside = 0;
    p->dev = p->parent = 0;
    if (!path || strlen(path) >= sizeof text) return;
    strcpy(text, path);
    for (int links = 0; links < 40; links++) {
        size_t n = strlen(text);
        while (n > 1 && text[n - 1] == '/') text[--n] = 0;
        char *slash = strrchr(text, '/');
        char *name = slash ? slash + 1 : text;
        /* These forms name no entry; every operation that needs one refuses them. */
        if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) break;
        char folder[PATH_MAX] = ".";
        if (slash) {
            memcpy(folder, text, slash - text + 1);
            folder[slash - text + 1] = 0;
        }
        int fd = open_folder(at, folder);
        if (at != dirfd) syscall(SYS_close, at);
        at = fd;
        if (fd < 0) return;
        ssize_t length = follow ? readlinkat(fd, name, target, sizeof target - 1) : -1;
        if (length >= 0) {
            target[length] = 0;
            strcpy(text, target);
            continue;
        }
        struct stat st;
        char above[PATH_MAX];
        if (!fstat(fd, &st) && path_of(fd, above)) {
            p->dev = st.st_dev;
            p->parent = st.st_ino;
            size_t room_left = sizeof p->path;
            int used = snprintf(p->path, room_left, "%s%s%s", above, *above ? "/" : "", name);
            if (used < 0 || (size_t)used >= room_left) die("a path above 4096 bytes");
            p->inside = 1;
        }
        break;
    }
    if (at != dirfd && at >= 0) syscall(SYS_close, at);
}

/* Sockets, FIFOs and devices hold no data: they have no part in the log. */
static int stored(mode_t mode) { return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode); }

static uint64_t ino_at(int dirfd, const char *path, int flags) {
    struct stat st;
    return !fstatat(dirfd, path, &st, flags) && stored(st.st_mode) ? st.st_ino : 0;
}

/* ---- open -------------------------------------------------------------- */

static int open_tmpfile(int dirfd, const char *path, int flags, mode_t mode) {
    struct stat st;
    char where[PATH_MAX];
    int e;
    lock();
    int folder = open_folder(dirfd, path);
    int inside = folder >= 0 && path_of(folder, where);
    if (folder >= 0) syscall(SYS_close, folder);
    if (inside && (e = fault(OP_TMPFILE, 0, 0, where))) return done(-1, e);
    int fd = syscall(SYS_openat, dirfd, path, flags, mode);
    e = errno;
    if (fd >= 0 && inside && !fstat(fd, &st) && path_of(fd, where))
        append((struct head){.op = OP_TMPFILE, .dev = st.st_dev, .ino = st.st_ino, .mode = st.st_mode}, where, "", 0);
    return done(fd, e);
}

static int open_any(int dirfd, const char *path, int flags, mode_t mode) {
    int temporary = (flags & O_TMPFILE) == O_TMPFILE;
    if (!on() || !(temporary || (flags & (O_CREAT | O_TRUNC)))) return syscall(SYS_openat, dirfd, path, flags, mode);
    if (temporary) return open_tmpfile(dirfd, path, flags, mode);

    struct place p;
    struct stat st;
    int exclusive = (flags & O_CREAT) && (flags & O_EXCL), follow = !exclusive && !(flags & O_NOFOLLOW);
    lock();
    resolve(dirfd, path, follow, &p);
    int exists = !fstatat(dirfd, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
    enum op op = 0;
    if (p.inside && !exists && (flags & O_CREAT)) op = OP_CREATE;
    if (p.inside && exists && (flags & O_TRUNC) && !exclusive && S_ISREG(st.st_mode)) op = OP_TRUNCATE;
    if (!op) {
        /* Changes nothing here. Unlocked first, because opening a FIFO may wait. */
        unlock();
        return syscall(SYS_openat, dirfd, path, flags, mode);
    }
    int e = fault(op, p.dev, exists ? st.st_ino : 0, p.path);
    if (e) return done(-1, e);
    int fd = syscall(SYS_openat, dirfd, path, flags, mode);
    e = errno;
    if (fd >= 0 && !fstat(fd, &st))
        append((struct head){.op = op, .dev = st.st_dev, .ino = st.st_ino, .parent = p.parent, .mode = st.st_mode},
               p.path, "", 0);
    return done(fd, e);
}

#define MODE_ARGUMENT(flags)                                   \
    mode_t mode = 0;                                           \
    if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {    \
        va_list list;                                          \
        va_start(list, flags);                                 \
        mode = va_arg(list, mode_t);                           \
        va_end(list);                                          \
    }

EXPORT int open(const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(AT_FDCWD, path, flags, mode); }
EXPORT int open64(const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(AT_FDCWD, path, flags, mode); }
EXPORT int openat(int at, const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(at, path, flags, mode); }
EXPORT int openat64(int at, const char *path, int flags, ...) { MODE_ARGUMENT(flags) return open_any(at, path, flags, mode); }
EXPORT int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
EXPORT int creat64(const char *path, mode_t mode) { return creat(path, mode); }
/* What the compiler calls instead under _FORTIFY_SOURCE. */
EXPORT int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
EXPORT int __open64_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
EXPORT int __openat_2(int at, const char *path, int flags) { return open_any(at, path, flags, 0); }
EXPORT int __openat64_2(int at, const char *path, int flags) { return open_any(at, path, flags, 0); }

/* The mkstemp family opens inside libc, where no wrapper sees it, so it is written anew here. */
static int make_temporary(char *pattern, int suffix, int flags, int folder) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = strlen(pattern);
    if (suffix < 0 || n < 6 + (size_t)suffix || memcmp(pattern + n - suffix - 6, "XXXXXX", 6)) {
        errno = EINVAL;
        return -1;
    }
    for (int tries = 0; tries < 1000; tries++) {
        unsigned char random[6];
        if (getrandom(random, sizeof random, 0) != sizeof random) return -1;
        for (int i = 0; i < 6; i++) pattern[n - suffix - 6 + i] = letters[random[i] % (sizeof letters - 1)];
        int rc = folder ? mkdir(pattern, 0700)
                        : open_any(AT_FDCWD, pattern, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
        if (rc >= 0 || errno != EEXIST) return rc;
    }
    return -1;
}

EXPORT int mkostemps(char *pattern, int suffix, int flags) { return make_temporary(pattern, suffix, flags, 0); }
EXPORT int mkostemps64(char *pattern, int suffix, int flags) { return make_temporary(pattern, suffix, flags, 0); }
EXPORT int mkstemps(char *pattern, int suffix) { return make_temporary(pattern, suffix, 0, 0); }
EXPORT int mkstemps64(char *pattern, int suffix) { return make_temporary(pattern, suffix, 0, 0); }
EXPORT int mkostemp(char *pattern, int flags) { return make_temporary(pattern, 0, flags, 0); }
EXPORT int mkostemp64(char *pattern, int flags) { return make_temporary(pattern, 0, flags, 0); }
EXPORT int mkstemp(char *pattern) { return make_temporary(pattern, 0, 0, 0); }
EXPORT int mkstemp64(char *pattern) { return make_temporary(pattern, 0, 0, 0); }
EXPORT char *mkdtemp(char *pattern) { return make_temporary(pattern, 0, 0, 1) < 0 ? NULL : pattern; }

/* The log's descriptor must survive programs that close everything. */
EXPORT int close(int fd) {
    if (fd >= 0 && fd == log_fd) {
        errno = EBADF;
        return -1;
    }
    return syscall(SYS_close, fd);
}

/* ---- data -------------------------------------------------------------- */

#define HERE (-1) /* at the descriptor's own position, as pwritev2 spells it */

/* Where the next write goes, and whether it reaches the disk before it returns. Under the lock. */
static int64_t target_of(int fd, const struct stat *st, int64_t offset, int rwf, uint32_t *flags) {
    int mode = syscall(SYS_fcntl, fd, F_GETFL);
    *flags = 0;
    if (((mode & O_DSYNC) || (rwf & (RWF_DSYNC | RWF_SYNC))) && !ignore_sync) *flags = WRITE_IS_SYNC;
    /* Linux appends on such a descriptor whatever offset pwrite names. */
    if ((mode & O_APPEND) || (rwf & RWF_APPEND)) return st->st_size;
    return offset == HERE ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : offset;
}

static ssize_t write_ours(int fd, const struct stat *st, const char *path, const struct iovec *v, int n,
                          int64_t offset, int rwf) {
    struct head h = {.op = OP_WRITE, .dev = st->st_dev, .ino = st->st_ino};
    int e = fault(OP_WRITE, st->st_dev, st->st_ino, path);
    if (e) return done(-1, e);
    h.offset = target_of(fd, st, offset, rwf, &h.flags);
    ssize_t rc = syscall(SYS_pwritev2, fd, v, (unsigned long)n, offset, 0L, rwf);
    e = errno;
    if (rc > 0) {
        char *to = room(strlen(path), rc);
        size_t left = rc;
        for (int i = 0; left; i++) {
            size_t part = v[i].iov_len < left ? v[i].iov_len : left;
            memcpy(to, v[i].iov_base, part);
            to += part;
            left -= part;
        }
        h.length = h.result = rc;
        append(h, path, "", rc);
    }
    return done(rc, e);
}

EXPORT ssize_t write(int fd, const void *data, size_t n) {
    struct stat st;
    char path[PATH_MAX];
    struct iovec v = {(void *)data, n};
    return lock_ours(fd, &st, path) ? write_ours(fd, &st, path, &v, 1, HERE, 0) : syscall(SYS_write, fd, data, n);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t n, off_t offset) {
    struct stat st;
    char path[PATH_MAX];
    struct iovec v = {(void *)data, n};
    if (offset < 0 || !lock_ours(fd, &st, path)) return syscall(SYS_pwrite64, fd, data, n, offset);
    return write_ours(fd, &st, path, &v, 1, offset, 0);
}
EXPORT ssize_t pwrite64(int fd, const void *data, size_t n, off64_t offset) { return pwrite(fd, data, n, offset); }

EXPORT ssize_t writev(int fd, const struct iovec *v, int n) {
    struct stat st;
    char path[PATH_MAX];
    return lock_ours(fd, &st, path) ? write_ours(fd, &st, path, v, n, HERE, 0) : syscall(SYS_writev, fd, v, n);
}

EXPORT ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t offset, int flags) {
    struct stat st;
    char path[PATH_MAX];
    if (offset < HERE || !lock_ours(fd, &st, path)) return syscall(SYS_pwritev2, fd, v, (unsigned long)n, offset, 0L, flags);
    return write_ours(fd, &st, path, v, n, offset, flags);
}
EXPORT ssize_t pwritev64v2(int fd, const struct iovec *v, int n, off64_t offset, int flags) {
    return pwritev2(fd, v, n, offset, flags);
}
EXPORT ssize_t pwritev(int fd, const struct iovec *v, int n, off_t offset) {
    if (offset < 0) return syscall(SYS_pwritev, fd, v, (unsigned long)n, offset, 0L);
    return pwritev2(fd, v, n, offset, 0);
}
EXPORT ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t offset) { return pwritev(fd, v, n, offset); }

/* The kernel moved the bytes, so they are read back for the record. The descriptor itself may be write-only. */
static void append_copied(int fd, struct head h, const char *path, size_t n) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int again = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
    char *to = room(strlen(path), n);
    for (size_t got = 0; got < n;) {
        ssize_t rc = syscall(SYS_pread64, again, to + got, n - got, h.offset + got);
        if (rc <= 0) die("cannot read back what the kernel copied");
        got += rc;
    }
    syscall(SYS_close, again);
    h.length = h.result = n;
    append(h, path, "", n);
}

/* copy_file_range, splice and sendfile into one of our files: `call` numbers the system call, a..f are its arguments. */
static ssize_t copy_ours(int fd, int64_t offset, const struct stat *st, const char *path, long call, long a, long b, long c,
                         long d, long e, long f) {
    struct head h = {.op = OP_WRITE, .dev = st->st_dev, .ino = st->st_ino};
    int error = fault(OP_WRITE, st->st_dev, st->st_ino, path);
    if (error) return done(-1, error);
    h.offset = target_of(fd, st, offset, 0, &h.flags);
    ssize_t rc = syscall(call, a, b, c, d, e, f);
    error = errno;
    if (rc > 0) append_copied(fd, h, path, rc);
    return done(rc, error);
}

EXPORT ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags) {
    struct stat st;
    char path[PATH_MAX];
    if (!lock_ours(out, &st, path)) return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
    return copy_ours(out, out_at ? *out_at : HERE, &st, path, SYS_copy_file_range, in, (long)in_at, out, (long)out_at, n, flags);
}

EXPORT ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags) {
    struct stat st;
    char path[PATH_MAX];
    if (!lock_ours(out, &st, path)) return syscall(SYS_splice, in, in_at, out, out_at, n, flags);
    return copy_ours(out, out_at ? *out_at : HERE, &st, path, SYS_splice, in, (long)in_at, out, (long)out_at, n, flags);
}

EXPORT ssize_t sendfile(int out, int in, off_t *in_at, size_t n) {
    struct stat st;
    char path[PATH_MAX];
    if (!lock_ours(out, &st, path)) return syscall(SYS_sendfile, out, in, in_at, n);
    return copy_ours(out, HERE, &st, path, SYS_sendfile, out, in, (long)in_at, n, 0, 0);
}
EXPORT ssize_t sendfile64(int out, int in, off64_t *in_at, size_t n) { return sendfile(out, in, in_at, n); }

/* ---- size, mode, space: changes of a file that exists ------------------ */

static int change_fd(int fd, enum op op, struct head h, long call, long a, long b, long c) {
    struct stat st;
    char path[PATH_MAX];
    if (!lock_ours(fd, &st, path)) return syscall(call, fd, a, b, c);
    int e = fault(op, st.st_dev, st.st_ino, path);
    if (e) return done(-1, e);
    int rc = syscall(call, fd, a, b, c);
    e = errno;
    h.op = op;
    h.dev = st.st_dev;
    h.ino = st.st_ino;
    if (!rc) append(h, path, "", 0);
    return done(rc, e);
}

EXPORT int ftruncate(int fd, off_t size) {
    return change_fd(fd, OP_TRUNCATE, (struct head){.length = size}, SYS_ftruncate, size, 0, 0);
}
EXPORT int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
EXPORT int fchmod(int fd, mode_t mode) { return change_fd(fd, OP_CHMOD, (struct head){.mode = mode}, SYS_fchmod, mode, 0, 0); }
EXPORT int fallocate(int fd, int mode, off_t at, off_t n) {
    return change_fd(fd, OP_FALLOCATE, (struct head){.mode = mode, .offset = at, .length = n}, SYS_fallocate, mode, at, n);
}
EXPORT int fallocate64(int fd, int mode, off64_t at, off64_t n) { return fallocate(fd, mode, at, n); }
EXPORT int posix_fallocate(int fd, off_t at, off_t n) {
    int saved = errno, rc = fallocate(fd, 0, at, n) ? errno : 0;
    errno = saved;
    return rc;
}
EXPORT int posix_fallocate64(int fd, off64_t at, off64_t n) { return posix_fallocate(fd, at, n); }

static int change_path(int at, const char *path, enum op op, struct head h, long call, long a, long b, long c) {
    struct place p;
    if (!on()) return syscall(call, a, b, c);
    lock();
    resolve(at, path, 1, &p);
    h.op = op;
    h.dev = p.dev;
    h.ino = p.inside ? ino_at(at, path, 0) : 0;
    int e = h.ino ? fault(op, h.dev, h.ino, p.path) : 0;
    if (e) return done(-1, e);
    int rc = syscall(call, a, b, c);
    e = errno;
    if (!rc && h.ino) append(h, p.path, "", 0);
    return done(rc, e);
}

EXPORT int truncate(const char *path, off_t size) {
    return change_path(AT_FDCWD, path, OP_TRUNCATE, (struct head){.length = size}, SYS_truncate, (long)path, size, 0);
}
EXPORT int truncate64(const char *path, off64_t size) { return truncate(path, size); }
EXPORT int chmod(const char *path, mode_t mode) {
    return change_path(AT_FDCWD, path, OP_CHMOD, (struct head){.mode = mode}, SYS_fchmodat, AT_FDCWD, (long)path, mode);
}
EXPORT int fchmodat(int at, const char *path, mode_t mode, int flags) {
    struct stat st;
    if ((flags & AT_SYMLINK_NOFOLLOW) && !fstatat(at, path, &st, flags) && S_ISLNK(st.st_mode)) {
        errno = EOPNOTSUPP; /* as glibc: Linux has no modes on links */
        return -1;
    }
    return change_path(at, path, OP_CHMOD, (struct head){.mode = mode}, SYS_fchmodat, at, (long)path, mode);
}

/* ---- names ------------------------------------------------------------- */

static int rename_any(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    struct place a, b;
    if (!on()) return syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    lock();
    resolve(from_at, from, 0, &a);
    resolve(to_at, to, 0, &b);
    struct head h = {.op = OP_RENAME, .flags = flags, .dev = a.dev, .parent = a.parent, .parent2 = b.parent};
    h.ino = ino_at(from_at, from, AT_SYMLINK_NOFOLLOW);
    h.ino2 = ino_at(to_at, to, AT_SYMLINK_NOFOLLOW);
    int e = h.ino && (a.inside || b.inside) ? fault(OP_RENAME, h.dev, h.ino, a.inside ? a.path : b.path) : 0;
    if (e) return done(-1, e);
    int rc = syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    e = errno;
    if (!h.ino) return done(rc, e);
    if (!rc && a.inside && b.inside) {
        /* Two names of one file: POSIX says that nothing happens. */
        if (h.ino != h.ino2) append(h, a.path, b.path, 0);
    } else if (!rc && a.inside && !(flags & RENAME_EXCHANGE)) {
        h.op = OP_UNLINK; /* left the folder */
        append(h, a.path, "", 0);
    } else if (!rc && (a.inside || b.inside)) {
        h.op = OP_FOREIGN;
        h.dev = a.inside ? a.dev : b.dev;
        append(h, b.inside ? b.path : a.path, "", 0);
    }
    return done(rc, e);
}

EXPORT int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
EXPORT int renameat(int from_at, const char *from, int to_at, const char *to) { return rename_any(from_at, from, to_at, to, 0); }
EXPORT int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return rename_any(from_at, from, to_at, to, flags);
}

EXPORT int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    struct place a = {0}, b;
    if (!on()) return syscall(SYS_linkat, from_at, from, to_at, to, flags);
    lock();
    if ((flags & AT_EMPTY_PATH) && !*from) a.inside = path_of(from_at, a.path);
    else resolve(from_at, from, (flags & AT_SYMLINK_FOLLOW) != 0, &a);
    resolve(to_at, to, 0, &b);
    int e = b.inside ? fault(OP_LINK, b.dev, 0, b.path) : 0;
    if (e) return done(-1, e);
    int rc = syscall(SYS_linkat, from_at, from, to_at, to, flags);
    e = errno;
    struct stat st;
    if (!rc && b.inside && !fstatat(to_at, to, &st, AT_SYMLINK_NOFOLLOW) && stored(st.st_mode))
        append((struct head){.op = a.inside ? OP_LINK : OP_FOREIGN, .dev = st.st_dev, .ino = st.st_ino,
                             .parent = a.inside ? a.parent : b.parent, .parent2 = b.parent, .mode = st.st_mode},
               a.inside ? a.path : b.path, b.path, 0);
    return done(rc, e);
}
EXPORT int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

EXPORT int unlinkat(int at, const char *path, int flags) {
    struct place p;
    if (!on()) return syscall(SYS_unlinkat, at, path, flags);
    enum op op = flags & AT_REMOVEDIR ? OP_RMDIR : OP_UNLINK;
    lock();
    resolve(at, path, 0, &p);
    uint64_t ino = p.inside ? ino_at(at, path, AT_SYMLINK_NOFOLLOW) : 0;
    int e = ino ? fault(op, p.dev, ino, p.path) : 0;
    if (e) return done(-1, e);
    int rc = syscall(SYS_unlinkat, at, path, flags);
    e = errno;
    if (!rc && ino) append((struct head){.op = op, .dev = p.dev, .ino = ino, .parent = p.parent}, p.path, "", 0);
    return done(rc, e);
}
EXPORT int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
EXPORT int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
EXPORT int remove(const char *path) {
    int rc = unlink(path);
    return rc && errno == EISDIR ? rmdir(path) : rc;
}

static int make(int at, const char *path, enum op op, const char *content, long call, long a, long b, long c) {
    struct place p;
    struct stat st;
    if (!on()) return syscall(call, a, b, c);
    lock();
    resolve(at, path, 0, &p);
    int tracked = p.inside && fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW); /* one that exists will fail */
    int e = tracked ? fault(op, p.dev, 0, p.path) : 0;
    if (e) return done(-1, e);
    int rc = syscall(call, a, b, c);
    e = errno;
    if (!rc && tracked && !fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW)) {
        size_t n = strlen(content);
        memcpy(room(strlen(p.path), n), content, n);
        append((struct head){.op = op, .dev = st.st_dev, .ino = st.st_ino, .parent = p.parent, .mode = st.st_mode, .length = n},
               p.path, "", n);
    }
    return done(rc, e);
}

EXPORT int mkdirat(int at, const char *path, mode_t mode) {
    return make(at, path, OP_MKDIR, "", SYS_mkdirat, at, (long)path, mode);
}
EXPORT int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
EXPORT int symlinkat(const char *target, int at, const char *path) {
    return make(at, path, OP_SYMLINK, target, SYS_symlinkat, (long)target, at, (long)path);
}
EXPORT int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

/* ---- sync -------------------------------------------------------------- */

static int sync_file(int fd, enum op op, long call) {
    struct stat st;
    char path[PATH_MAX];
    if (!lock_ours(fd, &st, path)) return syscall(call, fd);
    if (ignore_sync) return done(0, 0);
    int e = fault(op, st.st_dev, st.st_ino, path);
    if (e) return done(-1, e);
    int rc = syscall(call, fd);
    e = errno;
    if (!rc) append((struct head){.op = op, .dev = st.st_dev, .ino = st.st_ino}, path, "", 0);
    /* A real failure has the consequences of an injected one: the kernel may have dropped the pages. */
    else append_fault(op, st.st_dev, st.st_ino, path, e);
    return done(rc, e);
}

EXPORT int fsync(int fd) { return sync_file(fd, OP_FSYNC, SYS_fsync); }
EXPORT int fdatasync(int fd) { return sync_file(fd, OP_FDATASYNC, SYS_fdatasync); }

EXPORT int syncfs(int fd) {
    struct stat st;
    if (!on() || fstat(fd, &st) || st.st_dev != root_dev) return syscall(SYS_syncfs, fd);
    lock();
    if (ignore_sync) return done(0, 0);
    int e = fault(OP_SYNCFS, root_dev, 0, "");
    if (e) return done(-1, e);
    int rc = syscall(SYS_syncfs, fd);
    e = errno;
    if (!rc) append((struct head){.op = OP_SYNCFS, .dev = root_dev}, "", "", 0);
    return done(rc, e);
}

EXPORT void sync(void) {
    if (!on()) {
        syscall(SYS_sync);
        return;
    }
    lock();
    if (!ignore_sync) {
        fault(OP_SYNC, root_dev, 0, ""); /* may kill; sync itself cannot report a failure */
        syscall(SYS_sync);
        append((struct head){.op = OP_SYNC, .dev = root_dev}, "", "", 0);
    }
    unlock();
}

/* ---- writable shared mappings: their stores cannot be seen ------------- */

EXPORT void *mmap(void *address, size_t n, int prot, int flags, int fd, off_t offset) {
    struct stat st;
    char path[PATH_MAX];
    int shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
    if ((flags & MAP_ANONYMOUS) || !shared || !(prot & PROT_WRITE) || !lock_ours(fd, &st, path))
        return (void *)syscall(SYS_mmap, address, n, prot, flags, fd, offset);
    void *at = (void *)syscall(SYS_mmap, address, n, prot, flags, fd, offset);
    int e = errno;
    if (at != MAP_FAILED)
        append((struct head){.op = OP_MAPPED, .dev = st.st_dev, .ino = st.st_ino, .offset = offset, .length = n}, path, "", 0);
    unlock();
    errno = e;
    return at;
}
EXPORT void *mmap64(void *address, size_t n, int prot, int flags, int fd, off64_t offset) {
    return mmap(address, n, prot, flags, fd, offset);
}
