/* Loaded before the C library: lets one call of a process fail, as a full or failing disk would.
 *
 * FAULT_CALL   open, write, short, fsync, rename or mkdir; short writes half of what it is given, and the next write finds no space
 * FAULT_NTH    which of these calls, from 1; 0 lets none fail
 * FAULT_ERRNO  what it fails with
 * FAULT_STAYS  if set, all later calls of this kind fail too, as on a disk that stays full
 * FAULT_COUNT  a file that receives the number of such calls when the process ends
 *
 * Only files that the program writes under a temporary name count, and directories that it makes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES 4096

static atomic_int calls;
static atomic_bool watched[MOST_FILES];

static int is(const char *kind) {
    const char *wanted = getenv("FAULT_CALL");
    return wanted != NULL && strcmp(kind, wanted) == 0;
}

static int number(const char *name) {
    const char *text = getenv(name);
    return text == NULL ? 0 : atoi(text);
}

/* Whether this call, one of the wanted kind, is to fail. */
static int fails(void) {
    int call = atomic_fetch_add(&calls, 1) + 1, nth = number("FAULT_NTH");
    return nth > 0 && (call == nth || (call > nth && getenv("FAULT_STAYS") != NULL));
}

static int failed(void) {
    errno = number("FAULT_ERRNO");
    return -1;
}

static int opened(int file, const char *path) {
    if (file >= 0 && file < MOST_FILES)
        atomic_store(&watched[file], strstr(path, "/.writing-") != NULL);
    return file;
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (is("open") && strstr(path, "/.writing-") != NULL && fails())
        return failed();
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    return opened(real(path, flags, mode), path);
}

ssize_t write(int file, const void *bytes, size_t length) {
    static atomic_bool full;
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (file < 0 || file >= MOST_FILES || !atomic_load(&watched[file]))
        return real(file, bytes, length);
    if (is("write") && fails())
        return failed();
    if (is("short")) {
        if (atomic_exchange(&full, 0))
            return failed();
        if (fails()) {
            atomic_store(&full, 1);
            return real(file, bytes, length / 2);
        }
    }
    return real(file, bytes, length);
}

int fsync(int file) {
    if (is("fsync") && file >= 0 && file < MOST_FILES && atomic_load(&watched[file]) && fails())
        return failed();
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return real(file);
}

int rename(const char *from, const char *to) {
    if (is("rename") && strstr(from, "/.writing-") != NULL && fails())
        return failed();
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return real(from, to);
}

int mkdir(const char *path, mode_t mode) {
    if (is("mkdir") && fails())
        return failed();
    int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
    return real(path, mode);
}

__attribute__((destructor)) static void tell(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file != NULL) {
        fprintf(file, "%d\n", atomic_load(&calls));
        fclose(file);
    }
}
