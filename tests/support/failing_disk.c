/* A disk that fails on demand: preloaded, it stands between SQLite and the C library.

   Calls that change a file under one folder are counted; from the nth on they fail with an error
   of the caller's choice, or the process ends there as by kill -9, in the middle of a write. Or
   they are recorded, with their data and in their order. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[4096];
static long nth, calls;
static int code, only_once, dies, no_locks;

void failing_disk_arm(const char *path, long first, int error, int once, int die) {
    strncpy(folder, path, sizeof folder - 1);
    calls = 0;
    code = error, only_once = once, dies = die;
    nth = first;
}

long failing_disk_disarm(void) {
    nth = 0;
    return calls;
}

void failing_disk_refuse_locks(const char *path, int error) {
    strncpy(folder, path, sizeof folder - 1);
    no_locks = error;
}

static int under(const char *path) { return !strncmp(path, folder, strlen(folder)); }

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, 4095);
    path[size < 0 ? 0 : size] = 0;
    return size > 0;
}

/* A record: what, the lengths of path and data, the offset; then path and data. */
static FILE *tape;

void failing_disk_record(const char *path, const char *where) {
    strncpy(folder, path, sizeof folder - 1);
    tape = fopen(where, "wb");
}

static void note(char what, const char *path, long offset, const void *data, long size) {
    if (!tape || !under(path)) return;
    int saved = errno;
    long header[4] = {what, (long)strlen(path), size, offset};
    fwrite(header, sizeof header, 1, tape);
    fwrite(path, 1, header[1], tape);
    if (size) fwrite(data, 1, size, tape);
    errno = saved;
}

void failing_disk_mark(long number) { note('m', folder, number, 0, 0); }

void failing_disk_stop(void) {
    if (tape) fclose(tape);
    tape = 0;
}

static void note_fd(char what, int fd, long offset, const void *data, long size) {
    char path[4096];
    int saved = errno;
    if (tape && path_of(fd, path)) note(what, path, offset, data, size);
    errno = saved;
}

static int counted(void) {
    calls++;
    return only_once ? calls == nth : calls >= nth;
}

static int fails_at(const char *path) {
    if (!nth || !under(path) || !counted()) return 0;
    if (dies) _exit(137);
    errno = code;
    return 1;
}

static int fails(int fd) {
    char path[4096];
    int saved = errno;
    if (!nth || !path_of(fd, path)) return errno = saved, 0;
    errno = saved;
    return fails_at(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Half of the bytes arrive before the end. */
static int fails_writing(int fd, const void *data, size_t size, off_t offset) {
    char path[4096];
    if (!nth || !path_of(fd, path) || !under(path) || !counted()) return 0;
    if (dies) {
        if (offset < 0) REAL(write)(fd, data, size / 2);
        else REAL(pwrite)(fd, data, size / 2, offset);
        _exit(137);
    }
    errno = code;
    return 1;
}

static ssize_t wrote(int fd, const void *data, off_t offset, ssize_t size) {
    if (tape && size > 0) note_fd('w', fd, offset < 0 ? lseek(fd, 0, SEEK_CUR) - size : offset, data, size);
    return size;
}

ssize_t write(int fd, const void *data, size_t size) {
    if (fails_writing(fd, data, size, -1)) return -1;
    return wrote(fd, data, -1, REAL(write)(fd, data, size));
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    if (fails_writing(fd, data, size, offset)) return -1;
    return wrote(fd, data, offset, REAL(pwrite)(fd, data, size, offset));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    if (fails_writing(fd, data, size, offset)) return -1;
    return wrote(fd, data, offset, REAL(pwrite64)(fd, data, size, offset));
}
ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
    return fails(to) ? -1 : REAL(sendfile)(to, from, offset, size);
}
ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
    return fails(to) ? -1 : REAL(sendfile64)(to, from, offset, size);
}
#define NOTED(what, call, fd, offset)                                                    \
    int done = fails(fd) ? -1 : call;                                                    \
    if (!done) note_fd(what, fd, offset, 0, 0);                                          \
    return done;
int fsync(int fd) { NOTED('s', REAL(fsync)(fd), fd, 0) }
int fdatasync(int fd) { NOTED('s', REAL(fdatasync)(fd), fd, 0) }
int ftruncate(int fd, off_t size) { NOTED('t', REAL(ftruncate)(fd, size), fd, size) }
int ftruncate64(int fd, off64_t size) { NOTED('t', REAL(ftruncate64)(fd, size), fd, size) }
int mkdir(const char *path, mode_t mode) { return fails_at(path) ? -1 : REAL(mkdir)(path, mode); }
int unlink(const char *path) {
    int done = fails_at(path) ? -1 : REAL(unlink)(path);
    if (!done) note('u', path, 0, 0, 0);
    return done;
}
int rename(const char *from, const char *to) {
    return fails_at(to) ? -1 : REAL(rename)(from, to);
}

#define OPEN(name)                                                                       \
    int name(const char *path, int flags, ...) {                                         \
        va_list rest;                                                                    \
        va_start(rest, flags);                                                           \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                        \
        va_end(rest);                                                                    \
        if (flags & (O_CREAT | O_WRONLY | O_RDWR) && fails_at(path)) return -1;          \
        int made = tape && flags & O_CREAT && access(path, F_OK);                        \
        int fd = REAL(name)(path, flags, mode);                                          \
        if (made && fd >= 0) note('c', path, 0, 0, 0);                                   \
        return fd;                                                                       \
    }
OPEN(open)
OPEN(open64)

/* A share without locks. */
#define LOCKING(name)                                                                    \
    int name(int fd, int command, ...) {                                                 \
        va_list rest;                                                                    \
        va_start(rest, command);                                                         \
        void *value = va_arg(rest, void *);                                              \
        va_end(rest);                                                                    \
        char path[4096];                                                                 \
        if (no_locks && (command == F_SETLK || command == F_SETLKW || command == F_GETLK) \
            && path_of(fd, path) && under(path)) {                                       \
            errno = no_locks;                                                            \
            return -1;                                                                   \
        }                                                                                \
        return REAL(name)(fd, command, value);                                           \
    }
LOCKING(fcntl)
LOCKING(fcntl64)

int flock(int fd, int operation) {
    char path[4096];
    if (no_locks && path_of(fd, path) && under(path)) return errno = no_locks, -1;
    return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(fd, operation);
}
