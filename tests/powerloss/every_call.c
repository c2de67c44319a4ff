/*
 * Changes the current folder once by every call that shim.c records. Each call
 * leaves a trace of its own, so a call that is not recorded shows as a
 * difference between the folder and the log. Prints the line of a failed call.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(call)                                        \
    ({                                                  \
        long rc_ = (long)(call);                        \
        if (rc_ < 0) {                                  \
            fprintf(stderr, "line %d: ", __LINE__);     \
            perror(#call);                              \
            exit(1);                                    \
        }                                               \
        rc_;                                            \
    })

static int fresh(const char *name) { return OK(open(name, O_CREAT | O_RDWR | O_TRUNC, 0644)); }

static void *busy(void *name) {
    int fd = fresh(name), both = OK(open("shared", O_CREAT | O_WRONLY | O_APPEND, 0644));
    for (int i = 0; i < 200; i++) {
        char line[32];
        int n = snprintf(line, sizeof line, "%s %d\n", (char *)name, i);
        OK(write(fd, line, n));
        OK(write(both, line, n));
        if (i % 50 == 0) OK(fsync(fd));
    }
    OK(close(fd));
    OK(close(both));
    return NULL;
}

static void data(void) {
    struct iovec v[2] = {{"one ", 4}, {"two", 3}};
    OK(write(fresh("write"), "write", 5));
    OK(pwrite(fresh("pwrite"), "pwrite", 6, 100));
    OK(pwrite64(fresh("pwrite64"), "pwrite64", 8, 5000));
    OK(writev(fresh("writev"), v, 2));
    OK(pwritev(fresh("pwritev"), v, 2, 7));
    OK(pwritev64(fresh("pwritev64"), v, 2, 8));
    OK(pwritev2(fresh("pwritev2"), v, 2, 9, 0));
    OK(pwritev2(fresh("pwritev2_here"), v, 2, -1, RWF_DSYNC));
    OK(pwritev64v2(fresh("pwritev64v2"), v, 2, 10, 0));

    int fd = fresh("positions");
    OK(write(fd, "0123456789", 10));
    OK(lseek(fd, 3, SEEK_SET));
    OK(write(fd, "abc", 3));
    int twin = OK(dup(fd)), twin2 = OK(dup2(fd, 200)), twin3 = OK(dup3(fd, 201, O_CLOEXEC));
    OK(write(twin, "D", 1));
    OK(write(twin2, "E", 1));
    OK(write(twin3, "F", 1));
    OK(write(OK(fcntl(fd, F_DUPFD, 300)), "G", 1));
    fd = OK(open("positions", O_WRONLY | O_APPEND));
    OK(write(fd, "appended", 8));
    OK(pwrite(fd, "too", 3, 0)); /* Linux appends here as well */

    int from = fresh("source"), out;
    char big[20000];
    memset(big, 'x', sizeof big);
    OK(write(from, big, sizeof big));
    off64_t start = 5, to = 30;
    out = OK(open("copied", O_CREAT | O_WRONLY, 0600));
    OK(copy_file_range(from, &start, out, &to, 9000, 0));
    start = 1;
    OK(copy_file_range(from, &start, out, NULL, 7, 0));
    off_t at = 2;
    OK(sendfile(OK(open("sent", O_CREAT | O_WRONLY, 0600)), from, &at, 12000));
    OK(sendfile64(OK(open("sent64", O_CREAT | O_WRONLY, 0600)), from, &at, 100));
    int ends[2];
    OK(pipe(ends));
    OK(write(ends[1], "through a pipe", 14));
    OK(splice(ends[0], NULL, OK(open("spliced", O_CREAT | O_WRONLY, 0600)), NULL, 14, 0));
}

static void sizes(void) {
    OK(ftruncate(fresh("ftruncate"), 77));
    OK(ftruncate64(fresh("ftruncate64"), 78));
    OK(write(fresh("truncate"), "12345", 5));
    OK(truncate("truncate", 2));
    OK(symlink("truncate", "truncate_link"));
    OK(truncate64("truncate_link", 3));
    OK(fallocate(fresh("fallocate"), 0, 10, 90));
    OK(fallocate64(fresh("fallocate64"), 0, 10, 91));
    int fd = fresh("punched");
    OK(write(fd, "0123456789", 10));
    OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
    OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 9999));
    OK(-posix_fallocate(fresh("posix_fallocate"), 0, 55));
    OK(-posix_fallocate64(fresh("posix_fallocate64"), 0, 56));
    OK(fchmod(fresh("fchmod"), 0600));
    OK(close(fresh("chmod")));
    OK(chmod("chmod", 0640));
    OK(close(fresh("fchmodat")));
    OK(fchmodat(AT_FDCWD, "fchmodat", 0604, 0));
}

static void names(void) {
    OK(mkdir("dir", 0755));
    int dir = OK(open("dir", O_RDONLY | O_DIRECTORY));
    OK(mkdirat(dir, "inner", 0700));
    OK(write(OK(open64("open64", O_CREAT | O_WRONLY, 0644)), "1", 1));
    OK(write(OK(openat(dir, "openat", O_CREAT | O_WRONLY, 0644)), "2", 1));
    OK(write(OK(openat64(dir, "inner/openat64", O_CREAT | O_WRONLY, 0644)), "3", 1));
    OK(write(OK(creat("creat", 0644)), "4", 1));
    OK(write(OK(creat64("creat64", 0644)), "5", 1));
    OK(close(OK(open("creat64", O_WRONLY | O_TRUNC))));
    OK(open("creat", O_CREAT | O_WRONLY, 0644)); /* exists: nothing to record */
    char a[] = "m_XXXXXX", b[] = "mo_XXXXXX", c[] = "ms_XXXXXX.c", d[] = "mos_XXXXXX.c", e[] = "md_XXXXXX";
    OK(write(OK(mkstemp(a)), "6", 1));
    OK(write(OK(mkostemp(b, O_APPEND)), "7", 1));
    OK(write(OK(mkstemps(c, 2)), "8", 1));
    OK(write(OK(mkostemps(d, 2, O_CLOEXEC)), "9", 1));
    OK(mkdtemp(e) ? 0 : -1);
    OK(symlink("dangling", "dangle"));
    OK(write(OK(open("dangle", O_CREAT | O_WRONLY, 0644)), "through a link", 14));
    OK(symlinkat("../x", dir, "up"));

    int temporary = OK(open(".", O_TMPFILE | O_RDWR, 0644));
    OK(write(temporary, "nameless", 8));
    char link_path[40];
    snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", temporary);
    OK(linkat(AT_FDCWD, link_path, dir, "named", AT_SYMLINK_FOLLOW));
    OK(write(temporary, " no more", 8));
    int lost = OK(openat(dir, ".", O_TMPFILE | O_WRONLY, 0644));
    OK(write(lost, "never named", 11));

    OK(link("creat", "hard"));
    OK(write(OK(open("hard", O_WRONLY | O_APPEND)), " by its other name", 18));
    OK(rename("creat", "hard")); /* the same file: nothing happens */
    OK(rename("open64", "renamed"));
    OK(renameat(dir, "openat", AT_FDCWD, "renamed_at"));
    int replaced = OK(open("renamed", O_RDWR));
    OK(renameat2(AT_FDCWD, "renamed_at", AT_FDCWD, "renamed", 0));
    OK(write(replaced, "written after its name is gone", 30));
    OK(write(fresh("left"), "l", 1));
    OK(mkdir("right", 0755));
    OK(renameat2(AT_FDCWD, "left", AT_FDCWD, "right", RENAME_EXCHANGE));
    OK(close(fresh("unlinked")));
    OK(unlink("unlinked"));
    OK(write(fresh("reused"), "may have the number of the one before", 37));
    OK(close(fresh("unlinked_at")));
    OK(unlinkat(AT_FDCWD, "unlinked_at", 0));
    OK(mkdir("gone", 0755));
    OK(rmdir("gone"));
    OK(mkdir("gone_at", 0755));
    OK(unlinkat(AT_FDCWD, "gone_at", AT_REMOVEDIR));
    OK(mkdir("removed", 0755));
    OK(remove("removed"));
    OK(close(fresh("removed")));
    OK(remove("removed"));
    OK(mkfifo("fifo", 0600));
    OK(unlink("fifo"));
    OK(rename("dir", "moved"));
    OK(write(OK(open("moved/inner/openat64", O_WRONLY | O_APPEND)), "after the move", 14));
    OK(fsync(dir));
    OK(fdatasync(dir));
    OK(syncfs(dir));
    sync();
}

static void processes(void) {
    int inherited = fresh("inherited");
    for (int child = 0; child < 3; child++) {
        if (OK(fork()) == 0) {
            char name[20];
            snprintf(name, sizeof name, "child%d", child);
            busy(name);
            OK(write(inherited, name, strlen(name)));
            _exit(0);
        }
    }
    for (int status; wait(&status) > 0;)
        if (status) exit(1);
    pthread_t threads[4];
    static char *const thread_names[] = {"thread0", "thread1", "thread2", "thread3"};
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, busy, thread_names[i]);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "stdio")) {
        dprintf(fresh("escaped"), "stdio writes past the shim");
    } else if (count > 1 && !strcmp(arguments[1], "mmap")) {
        int fd = fresh("mapped");
        OK(ftruncate(fd, 4096));
        char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        OK(at == MAP_FAILED ? -1 : 0);
        at[0] = 'x';
    } else {
        data();
        sizes();
        names();
        processes();
    }
    return 0;
}
