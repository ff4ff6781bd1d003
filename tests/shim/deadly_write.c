/* Kills the process that loads it (LD_PRELOAD) at its n-th write or sync of one file, counted over
 * all threads.
 *
 * DEADLY_FILE  a part of the file's path
 * DEADLY_AT    which call of write, pwrite, fsync or fdatasync on it, from 1
 * DEADLY_WHEN  lost:   instead of the call, and what was appended to the file since its last sync is
 *                      cut off, as a power cut may do
 *              before: instead of the call; the kernel still has what was written earlier
 *              after:  when the call has returned
 *
 * Programs that the process starts are not affected: the constructor takes the variables away.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 4096

enum when { NEVER, LOST, BEFORE, AFTER };
enum effect { WRITES, SYNCS };

static enum when when = NEVER;
static long deadly_at;
static char deadly_file[PATH_MAX];
static atomic_long calls;

/* How much of each open file was synced, and of which file that is said. */
static struct {
    ino_t file;
    off_t size;
} synced[MAX_FILES];

__attribute__((constructor)) static void arm(void) {
    const char *at = getenv("DEADLY_AT");
    const char *word = getenv("DEADLY_WHEN");
    const char *file = getenv("DEADLY_FILE");
    if (at && word && file && strlen(file) < sizeof deadly_file) {
        deadly_at = atol(at);
        when = !strcmp(word, "lost") ? LOST : !strcmp(word, "before") ? BEFORE : AFTER;
        strcpy(deadly_file, file);
    }
    unsetenv("DEADLY_AT");
    unsetenv("DEADLY_WHEN");
    unsetenv("DEADLY_FILE");
    unsetenv("LD_PRELOAD");
}

static int is_deadly(int fd) {
    char link[64], path[PATH_MAX];
    if (when == NEVER || fd < 0 || fd >= MAX_FILES)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return strstr(path, deadly_file) != NULL;
}

static void note_synced(int fd, enum effect effect) {
    struct stat now;
    if (fstat(fd, &now) != 0)
        abort();
    /* What stands in a file before its first write by us was synced by those before us. */
    if (effect == SYNCS || synced[fd].file != now.st_ino) {
        synced[fd].file = now.st_ino;
        synced[fd].size = now.st_size;
    }
}

/* Whether this call is the deadly one, if it is to happen; does not return if it is not to. */
static int die_instead_or_after(int fd) {
    note_synced(fd, WRITES);
    if (atomic_fetch_add(&calls, 1) + 1 != deadly_at)
        return 0;
    if (when == LOST && ftruncate(fd, synced[fd].size) != 0)
        abort();
    if (when != AFTER)
        kill(getpid(), SIGKILL);
    return 1;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
#define GUARDED(effect, call)                                                                      \
    do {                                                                                           \
        if (!is_deadly(fd))                                                                        \
            return call;                                                                           \
        int last = die_instead_or_after(fd);                                                       \
        __auto_type result = call;                                                                 \
        if (effect == SYNCS)                                                                       \
            note_synced(fd, SYNCS);                                                                \
        if (last)                                                                                  \
            kill(getpid(), SIGKILL);                                                               \
        return result;                                                                             \
    } while (0)

int fdatasync(int fd) { GUARDED(SYNCS, REAL("fdatasync", int (*)(int))(fd)); }

int fsync(int fd) { GUARDED(SYNCS, REAL("fsync", int (*)(int))(fd)); }

ssize_t write(int fd, const void *bytes, size_t size) {
    GUARDED(WRITES, REAL("write", ssize_t(*)(int, const void *, size_t))(fd, bytes, size));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    GUARDED(WRITES,
            REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(fd, bytes, size, at));
}
