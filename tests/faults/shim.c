/* Stands between the program and the system (LD_PRELOAD), counts the steps of the sender, and makes one of them
 * go wrong. A step is a write to a socket that is connected to the relay, a write to the database or its log
 * (-wal), a sync of one of them, or the removal of the log. Steps are made one at a time, so that nothing happens between one and its
 * fault. The real calls are made by number; nothing of the program needs a hook.
 *
 * By environment:
 *   FAULT_DATABASE  the database's file
 *   FAULT_PORT      the relay's port
 *   FAULT_TRACE     a file that gets a line a step, its name: such as “sync log” or “write relay MAIL”
 *   FAULT_MADE      a file that gets a line a fault that was made, its step's name
 *   FAULT_PLAN      WHAT COUNT NTH NAME; at the NTH step of that NAME, from 1:
 *                     kill-before, kill-after    SIGKILL
 *                     power-before, power-after  the same, and what was written since the last sync is undone,
 *                                                as is a removal of the log
 *                     term-before                SIGTERM
 *                     full                       COUNT writes to the database fail with ENOSPC, from there on
 *                     io                         COUNT syncs of it fail with EIO, from there on
 *   FAULT_CLOCK     a file with the seconds by which the wall clock is wrong, read at each look
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OTHER, RELAY, DATABASE, LOG };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char plan[16], plan_name[64], database[4096], wal[4096], removed[4096];
static long plan_count, plan_nth;
/* How many steps of the planned name there were; whether this step is the one; whether it has come. */
static long seen;
static int here, begun;
static int relay_port, trace = -1, made = -1;
static const char *clock_file;

/* A file that was written, by a descriptor of our own, which is never closed: closing one would drop the
 * program's locks, and the program's own may stand for another file by the time the power fails. */
struct file {
    struct file *next;
    int fd;
    ino_t number;
};
static struct file *files;

/* What a write since the last sync replaced, the newest first. */
struct undo {
    struct undo *older;
    struct file *file;
    off_t at, size_before;
    size_t length;
    char old[];
};
static struct undo *unsynced;

__attribute__((constructor)) static void begin(void) {
    const char *value;
    if ((value = getenv("FAULT_DATABASE"))) {
        snprintf(database, sizeof database, "%s", value);
        snprintf(wal, sizeof wal, "%s-wal", value);
        snprintf(removed, sizeof removed, "%s-wal.removed", value);
    }
    if ((value = getenv("FAULT_PORT"))) relay_port = atoi(value);
    if ((value = getenv("FAULT_TRACE"))) trace = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((value = getenv("FAULT_MADE"))) made = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((value = getenv("FAULT_PLAN"))) sscanf(value, "%15s %ld %ld %63[^\n]", plan, &plan_count, &plan_nth, plan_name);
    clock_file = getenv("FAULT_CLOCK");
}

static enum kind kind_of(int fd) {
    struct stat it, other;
    if (fstat(fd, &it) != 0) return OTHER;
    if (S_ISSOCK(it.st_mode)) {
        union { struct sockaddr any; struct sockaddr_in four; struct sockaddr_in6 six; } peer;
        socklen_t length = sizeof peer;
        if (getpeername(fd, &peer.any, &length) != 0) return OTHER;
        int port = peer.any.sa_family == AF_INET    ? ntohs(peer.four.sin_port)
                   : peer.any.sa_family == AF_INET6 ? ntohs(peer.six.sin6_port)
                                                    : -1;
        return port == relay_port ? RELAY : OTHER;
    }
    if (!S_ISREG(it.st_mode)) return OTHER;
    if (stat(database, &other) == 0 && other.st_dev == it.st_dev && other.st_ino == it.st_ino) return DATABASE;
    if (stat(wal, &other) == 0 && other.st_dev == it.st_dev && other.st_ino == it.st_ino) return LOG;
    return OTHER;
}

static void forget(ino_t file) {
    for (struct undo **at = &unsynced; *at;) {
        struct undo *entry = *at;
        if (entry->file->number != file) { at = &entry->older; continue; }
        *at = entry->older;
        free(entry);
    }
}

static struct file *file_of(int fd, ino_t number) {
    for (struct file *file = files; file; file = file->next)
        if (file->number == number) return file;
    struct file *file = malloc(sizeof *file);
    if (!file) abort();
    *file = (struct file){files, fcntl(fd, F_DUPFD_CLOEXEC, 100), number};
    if (file->fd < 0) abort();
    return files = file;
}

/* Keeps what stands where bytes are about to be written or cut off. */
static void remember(int fd, off_t at, size_t length) {
    struct stat it;
    if (strncmp(plan, "power", 5) != 0 || fstat(fd, &it) != 0) return;
    struct undo *entry = malloc(sizeof *entry + length);
    if (!entry) abort();
    ssize_t kept = syscall(SYS_pread64, fd, entry->old, length, at);
    *entry = (struct undo){unsynced, file_of(fd, it.st_ino), at, it.st_size, kept > 0 ? (size_t)kept : 0};
    unsynced = entry;
}

/* The power fails: the disk holds what was synced, and nothing later. */
static void undo_all(void) {
    for (struct undo *entry = unsynced; entry; entry = entry->older) {
        if (entry->length) syscall(SYS_pwrite64, entry->file->fd, entry->old, entry->length, entry->at);
        syscall(SYS_ftruncate, entry->file->fd, entry->size_before);
    }
    /* A log that came after the removed one is as new as its name: neither is on the disk. */
    if (access(removed, F_OK) == 0) syscall(SYS_renameat2, AT_FDCWD, removed, AT_FDCWD, wal, 0);
}

static void die(void) {
    if (strncmp(plan, "power", 5) == 0) undo_all();
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* Names a step, by the first word of what goes to the relay, and writes it down. */
static void name(char *out, size_t room, enum kind kind, const char *verb, const char *bytes, size_t length) {
    static const char *kinds[] = {"", "relay ", "database", "log"};
    char word[24];
    size_t n = 0;
    if (kind == RELAY)
        while (n < length && n < sizeof word - 1 && bytes[n] > ' ' && bytes[n] < 127) { word[n] = bytes[n]; n++; }
    word[n] = 0;
    int size = snprintf(out, room, "%s %s%s\n", verb, kinds[kind], word);
    if (trace >= 0 && size > 0) syscall(SYS_write, trace, out, (size_t)size);
    if (size > 0) out[size - 1] = 0;
}

static int is(const char *what) { return strcmp(plan, what) == 0; }

static void tell(const char *step) {
    char line[65];
    int size = snprintf(line, sizeof line, "%s\n", step);
    if (made >= 0) syscall(SYS_write, made, line, (size_t)size);
}

static const char WRITE[] = "write", SYNC[] = "sync", REMOVE[] = "remove";

/* Begins a step; where it is to fail, gives the error number. */
static int before(enum kind kind, const char *verb, const char *bytes, size_t length) {
    char step[64];
    pthread_mutex_lock(&turn);
    name(step, sizeof step, kind, verb, bytes, length);
    here = strcmp(step, plan_name) == 0 && ++seen == plan_nth;
    begun |= here;
    if (here && plan_count == 0) tell(step);
    if (here && (is("kill-before") || is("power-before"))) die();
    if (here && is("term-before")) syscall(SYS_kill, getpid(), SIGTERM);
    int fails = begun && plan_count > 0 && kind != RELAY && verb == (is("full") ? WRITE : is("io") ? SYNC : NULL);
    if (!fails) return 0;
    plan_count--;
    tell(step);
    return verb == SYNC ? EIO : ENOSPC;
}

static long after(long outcome) {
    int error = errno;
    if (here && (is("kill-after") || is("power-after"))) die();
    pthread_mutex_unlock(&turn);
    errno = error;
    return outcome;
}

static long failed(int error) {
    errno = error;
    return after(-1);
}

/* A call that is made otherwise than before must not go by uncounted. */
static void unknown(const char *call) {
    dprintf(2, "the shim counts no step of %s\n", call);
    abort();
}

ssize_t write(int fd, const void *bytes, size_t length) {
    enum kind kind = kind_of(fd);
    if (kind == OTHER) return syscall(SYS_write, fd, bytes, length);
    int error = before(kind, WRITE, bytes, length);
    if (error) return failed(error);
    if (kind != RELAY) remember(fd, syscall(SYS_lseek, fd, 0, SEEK_CUR), length);
    return after(syscall(SYS_write, fd, bytes, length));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) {
    enum kind kind = kind_of(fd);
    if (kind == OTHER) return syscall(SYS_pwrite64, fd, bytes, length, at);
    int error = before(kind, WRITE, bytes, length);
    if (error) return failed(error);
    remember(fd, at, length);
    return after(syscall(SYS_pwrite64, fd, bytes, length, at));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    enum kind kind = kind_of(fd);
    if (kind == OTHER) return syscall(SYS_writev, fd, parts, count);
    if (kind != RELAY) unknown("writev");
    before(kind, WRITE, parts[0].iov_base, parts[0].iov_len);
    return after(syscall(SYS_writev, fd, parts, count));
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    enum kind kind = kind_of(fd);
    if (kind != RELAY) return syscall(SYS_sendto, fd, bytes, length, flags, to, size);
    before(kind, WRITE, bytes, length);
    return after(syscall(SYS_sendto, fd, bytes, length, flags, to, size));
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) { return sendto(fd, bytes, length, flags, NULL, 0); }

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    enum kind kind = kind_of(fd);
    if (kind != RELAY) return syscall(SYS_sendmsg, fd, message, flags);
    before(kind, WRITE, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
    return after(syscall(SYS_sendmsg, fd, message, flags));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) {
    if (kind_of(fd) != OTHER) unknown("pwritev");
    return syscall(SYS_pwritev, fd, parts, count, at, 0);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    if (kind_of(fd) != OTHER) unknown("sendmmsg");
    return (int)syscall(SYS_sendmmsg, fd, messages, count, flags);
}

static int synced(int fd, long call) {
    enum kind kind = kind_of(fd);
    if (kind == OTHER) return (int)syscall(call, fd);
    int error = before(kind, SYNC, "", 0);
    if (error) return (int)failed(error);
    struct stat it;
    long outcome = syscall(call, fd);
    if (outcome == 0 && fstat(fd, &it) == 0) forget(it.st_ino);
    return (int)after(outcome);
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int ftruncate64(int fd, off_t size) {
    struct stat it;
    if (kind_of(fd) != OTHER && fstat(fd, &it) == 0 && size < it.st_size) {
        pthread_mutex_lock(&turn);
        remember(fd, size, (size_t)(it.st_size - size));
        pthread_mutex_unlock(&turn);
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
    if (strcmp(path, wal) != 0) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int error = before(LOG, REMOVE, "", 0);
    if (error) return (int)failed(error);
    /* Its name is gone, and comes back where the power fails: nobody syncs the folder. */
    if (strncmp(plan, "power", 5) == 0) return (int)after(syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, removed, 0));
    return (int)after(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int outcome = (int)syscall(SYS_clock_gettime, clock, time);
    if (outcome == 0 && clock == CLOCK_REALTIME && clock_file) {
        char text[32] = "";
        long file = syscall(SYS_openat, AT_FDCWD, clock_file, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            syscall(SYS_read, file, text, sizeof text - 1);
            syscall(SYS_close, file);
        }
        time->tv_sec += atol(text);
    }
    return outcome;
}
