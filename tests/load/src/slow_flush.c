/* Makes every flush take as long as on a slower disk: preloaded by the load program, never by anything else. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int slowly(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (!real) {
        errno = ENOSYS;
        return -1;
    }
    int result = real(fd), kept = errno;
    const char *text = getenv("LOAD_FLUSH_MICROSECONDS");
    long left = text ? atol(text) : 0;
    struct timespec pause = {left / 1000000, left % 1000000 * 1000};
    nanosleep(&pause, NULL);
    errno = kept;
    return result;
}

int fsync(int fd) { return slowly("fsync", fd); }
int fdatasync(int fd) { return slowly("fdatasync", fd); }
