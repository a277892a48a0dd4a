/* Makes every commit take 2 ms, as on a disk that has to move or a volume behind a network.
 *
 * Preloaded (LD_PRELOAD) into a program, it lets fsync and fdatasync do their work, and then waits until
 * COMMIT_US microseconds (2000) have passed since they began. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int slowly(const char *name, int fd)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int outcome = real(fd);
    int kept = errno;
    const char *told = getenv("COMMIT_US");
    long microseconds = told ? atol(told) : 2000;
    end.tv_nsec += microseconds * 1000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
        ;
    errno = kept;
    return outcome;
}

int fsync(int fd)
{
    return slowly("fsync", fd);
}

int fdatasync(int fd)
{
    return slowly("fdatasync", fd);
}
