/*
 * A disk that forgets what was not synced: an LD_PRELOAD library for Linux.
 *
 * Beside the directory $DROPSYNC_DIR, which the process uses as ever, it keeps $DROPSYNC_SHADOW: what a disk would hold if
 * the power went now. Kill the process, and the shadow is the disk after the power cut. $DROPSYNC_SHADOW.files holds the
 * synced content of each file under its inode number, named or not; $DROPSYNC_SHADOW.lost holds directories without a name.
 *
 * The model
 * - A file's bytes are durable once an fsync or fdatasync of it has begun after they were written, or at once if it was
 *   opened with O_SYNC or O_DSYNC. sync_file_range, sync, syncfs and msync are no sync. The length goes with the bytes.
 * - A name is durable once its directory was synced, by fsync of the directory and nothing else: a new file that was synced
 *   and whose directory was not is gone. Linux file systems promise more; POSIX does not, and we do not rely on it.
 *   What a directory holds is read from the directory when it is synced, so it does not matter by which call it changed.
 * - What was in $DROPSYNC_DIR at the start is durable.
 * - A kill in the middle of a sync leaves a part of it. A rename inside one directory is whole or not at all.
 * It keeps what a real disk may lose, and loses what one may keep:
 * - nothing unsynced survives, whereas a disk may have written any part of it. Whoever wants such images mixes the real
 *   directory and the shadow (image.rs);
 * - fdatasync keeps the length, modes and times are not modelled, sectors do not tear inside a synced range.
 * It does not see writes by raw system calls (rustix, io_uring) or by stdio. It ends the process where it would have to lie:
 * shared writable maps, splice and the like into the directory, an unreadable directory, its own failed I/O.
 *
 * The shim itself makes raw system calls only, so that it never meets its own wrappers. One lock covers everything.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if !defined(__linux__) || __SIZEOF_LONG__ != 8
#error "for 64-bit Linux"
#endif

#define NODE_BUCKETS 4096
#define NAME_BUCKETS 64
#define COPY_BYTES (256 * 1024)
/* From so many syncs on, a file's descriptors are kept: it is a journal. */
#define KEEP_OPEN_SYNCS 4

struct range {
    off_t from, to;
};

struct node;

/* A name in the shadow. */
struct entry {
    struct entry *next;
    struct node *node;
    int seen;
    char name[];
};

/* A file or directory, by its inode. */
struct node {
    struct node *next;
    ino_t ino;
    int is_dir;
    /* A file: what is not synced. */
    struct range *dirty;
    size_t dirty_len, dirty_cap;
    off_t cut; /* the shortest it has been since the last sync */
    unsigned syncs;
    int from_fd, to_fd;
    /* A directory: where it stands in the shadow, and what is in it there. */
    struct node *parent;
    char *name;
    unsigned long lost_id; /* of a directory without a name */
    struct entry *entries[NAME_BUCKETS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ready;
static char root[PATH_MAX], shadow[PATH_MAX], files[PATH_MAX], lost[PATH_MAX];
static size_t root_len;
static dev_t root_dev;
static struct node *root_node;
static struct node *nodes[NODE_BUCKETS];
static unsigned long next_lost_id;
static char copy_buffer[COPY_BYTES];

static void die(const char *what, const char *which) {
    char line[PATH_MAX + 256];
    int len = snprintf(line, sizeof line, "dropsync: %s: %s (errno %d)\n", what, which, errno);
    syscall(SYS_write, 2, line, (size_t)len);
    abort();
}

/* ---- system calls, past every wrapper ---- */

static int sys_open(const char *path, int flags) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644);
}

static void sys_close(int fd) {
    syscall(SYS_close, fd);
}

static void sys_mkdir(const char *path) {
    if (syscall(SYS_mkdirat, AT_FDCWD, path, 0755) && errno != EEXIST) die("mkdir", path);
}

static int sys_rename(const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void sys_unlink(const char *path) {
    if (syscall(SYS_unlinkat, AT_FDCWD, path, 0) && errno != ENOENT) die("unlink", path);
}

static void path_join(char *out, const char *dir, const char *name) {
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) die("path too long", name);
}

/* The path behind a descriptor, 0 if it has none. */
static int path_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    if (len <= 0) return 0;
    out[len] = 0;
    return 1;
}

static int is_inside(const char *path) {
    return !strncmp(path, root, root_len) && (path[root_len] == '/' || path[root_len] == 0);
}

/* ---- nodes ---- */

static void file_path(char *out, ino_t ino) {
    char name[32];
    snprintf(name, sizeof name, "%llu", (unsigned long long)ino);
    path_join(out, files, name);
}

static struct node *find(ino_t ino) {
    struct node *node = nodes[ino % NODE_BUCKETS];
    while (node && node->ino != ino) node = node->next;
    return node;
}

static void close_kept(struct node *node) {
    if (node->from_fd >= 0) sys_close(node->from_fd);
    if (node->to_fd >= 0) sys_close(node->to_fd);
    node->from_fd = node->to_fd = -1;
}

/* The number now belongs to another file. Names in the shadow keep the old content; the node stays for them, unfindable. */
static void forget(ino_t ino) {
    for (struct node **at = &nodes[ino % NODE_BUCKETS]; *at; at = &(*at)->next) {
        struct node *node = *at;
        if (node->ino != ino) continue;
        *at = node->next;
        if (node->is_dir) return;
        close_kept(node);
        char path[PATH_MAX];
        file_path(path, ino);
        sys_unlink(path);
        return;
    }
}

static struct node *add_node(ino_t ino, int is_dir) {
    struct node *node = calloc(1, sizeof *node);
    if (!node) die("memory", "node");
    node->ino = ino;
    node->is_dir = is_dir;
    node->from_fd = node->to_fd = -1;
    node->cut = -1;
    node->next = nodes[ino % NODE_BUCKETS];
    nodes[ino % NODE_BUCKETS] = node;
    char path[PATH_MAX];
    if (is_dir) {
        node->lost_id = ++next_lost_id;
        return node;
    }
    file_path(path, ino);
    int fd = sys_open(path, O_CREAT | O_EXCL | O_WRONLY);
    if (fd < 0) die("create", path);
    sys_close(fd);
    return node;
}

static struct node *find_or_add(ino_t ino, int is_dir) {
    struct node *node = find(ino);
    if (node && node->is_dir == is_dir) return node;
    forget(ino);
    return add_node(ino, is_dir);
}

static void dir_path(char *out, const struct node *dir) {
    if (dir == root_node) {
        strcpy(out, shadow);
    } else if (dir->parent) {
        char parent[PATH_MAX];
        dir_path(parent, dir->parent);
        path_join(out, parent, dir->name);
    } else {
        char name[32];
        snprintf(name, sizeof name, "%lu", dir->lost_id);
        path_join(out, lost, name);
    }
}

/* ---- bytes ---- */

static void note_dirty(struct node *node, off_t from, off_t to) {
    if (to <= from) return;
    struct range *last = node->dirty_len ? &node->dirty[node->dirty_len - 1] : NULL;
    if (last && from <= last->to && to >= last->from) {
        if (from < last->from) last->from = from;
        if (to > last->to) last->to = to;
        return;
    }
    if (node->dirty_len == node->dirty_cap) {
        node->dirty_cap = node->dirty_cap ? node->dirty_cap * 2 : 8;
        node->dirty = realloc(node->dirty, node->dirty_cap * sizeof *node->dirty);
        if (!node->dirty) die("memory", "ranges");
    }
    node->dirty[node->dirty_len++] = (struct range){from, to};
}

static void note_cut(struct node *node, off_t len) {
    if (node->cut < 0 || len < node->cut) node->cut = len;
}

static void copy_range(int from_fd, int to_fd, off_t from, off_t to) {
    while (from < to) {
        size_t want = to - from < COPY_BYTES ? (size_t)(to - from) : COPY_BYTES;
        ssize_t got = syscall(SYS_pread64, from_fd, copy_buffer, want, from);
        if (got < 0) die("read", "a watched file");
        if (got == 0) return; /* shorter now */
        if (syscall(SYS_pwrite64, to_fd, copy_buffer, (size_t)got, from) != got) die("write", "the shadow");
        from += got;
    }
}

static void open_both(struct node *node, int fd) {
    char path[PATH_MAX];
    if (node->to_fd >= 0) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    node->from_fd = sys_open(path, O_RDONLY); /* `fd` itself may be for writing only */
    if (node->from_fd < 0) die("open again", path);
    file_path(path, node->ino);
    node->to_fd = sys_open(path, O_WRONLY);
    if (node->to_fd < 0) die("open", path);
}

/* The file is synced: the shadow gets what has changed. */
static void commit_file(struct node *node, int fd) {
    if (!node->dirty_len && node->cut < 0) {
        struct stat now, then;
        char path[PATH_MAX];
        file_path(path, node->ino);
        if (!fstat(fd, &now) && !stat(path, &then) && now.st_size == then.st_size) return;
    }
    open_both(node, fd);
    struct stat now;
    if (fstat(node->from_fd, &now)) die("stat", "a watched file");
    if (node->cut >= 0) {
        struct stat then;
        if (fstat(node->to_fd, &then)) die("stat", "the shadow");
        if (then.st_size > node->cut && syscall(SYS_ftruncate, node->to_fd, node->cut)) die("truncate", "the shadow");
    }
    for (size_t i = 0; i < node->dirty_len; i++) {
        off_t to = node->dirty[i].to < now.st_size ? node->dirty[i].to : now.st_size;
        copy_range(node->from_fd, node->to_fd, node->dirty[i].from, to);
    }
    if (syscall(SYS_ftruncate, node->to_fd, now.st_size)) die("truncate", "the shadow");
    node->dirty_len = 0;
    node->cut = -1;
    if (++node->syncs < KEEP_OPEN_SYNCS) close_kept(node);
}

/* ---- names ---- */

static struct entry **bucket_of(struct node *dir, const char *name) {
    unsigned hash = 5381;
    for (const char *at = name; *at; at++) hash = hash * 33 + (unsigned char)*at;
    return &dir->entries[hash % NAME_BUCKETS];
}

static struct entry *find_entry(struct node *dir, const char *name) {
    struct entry *entry = *bucket_of(dir, name);
    while (entry && strcmp(entry->name, name)) entry = entry->next;
    return entry;
}

static void add_entry(struct node *dir, const char *name, struct node *node) {
    struct entry *entry = calloc(1, sizeof *entry + strlen(name) + 1);
    if (!entry) die("memory", "entry");
    strcpy(entry->name, name);
    entry->node = node;
    entry->seen = 1;
    struct entry **bucket = bucket_of(dir, name);
    entry->next = *bucket;
    *bucket = entry;
    if (!node->is_dir) return;
    free(node->name);
    node->parent = dir;
    node->name = strdup(name);
}

static void drop_entry(struct node *dir, struct entry *entry) {
    struct entry **at = bucket_of(dir, entry->name);
    while (*at != entry) at = &(*at)->next;
    *at = entry->next;
    free(entry);
}

/* The name goes; a directory that had no other goes where the nameless are: it may get a new name later. */
static void remove_name(struct node *dir, struct entry *entry) {
    char parent[PATH_MAX], path[PATH_MAX], aside[PATH_MAX];
    dir_path(parent, dir);
    path_join(path, parent, entry->name);
    struct node *node = entry->node;
    if (!node->is_dir) {
        sys_unlink(path);
    } else if (node->parent == dir && !strcmp(node->name, entry->name)) {
        node->parent = NULL;
        dir_path(aside, node);
        if (sys_rename(path, aside)) die("rename", path);
    }
    drop_entry(dir, entry);
}

/* The name under which a node stands in the directory's shadow although it is not in the directory any more. */
static struct entry *former_name(struct node *dir, struct node *node, int real_fd) {
    for (int i = 0; i < NAME_BUCKETS; i++)
        for (struct entry *entry = dir->entries[i]; entry; entry = entry->next) {
            struct stat st;
            if (entry->node != node) continue;
            if (syscall(SYS_newfstatat, real_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != node->ino) return entry;
        }
    return NULL;
}

static void put_name(struct node *dir, const char *name, struct node *node, int real_fd) {
    char parent[PATH_MAX], path[PATH_MAX], from[PATH_MAX], step[PATH_MAX];
    dir_path(parent, dir);
    path_join(path, parent, name);
    struct entry *old = find_entry(dir, name);
    if (old && old->node->is_dir) {
        remove_name(dir, old);
        old = NULL;
    }
    struct entry *former = former_name(dir, node, real_fd);
    if (node->is_dir) {
        int stands = node->parent != NULL;
        dir_path(from, node);
        if (!stands) sys_mkdir(from); /* unless it was set aside */
        if (old) remove_name(dir, old);
        if (sys_rename(from, path)) die("rename", from);
        if (stands) {
            struct entry *entry = find_entry(node->parent, node->name);
            if (entry && entry->node == node) drop_entry(node->parent, entry);
        }
    } else if (former) {
        path_join(from, parent, former->name);
        if (sys_rename(from, path)) die("rename", from);
        drop_entry(dir, former);
        if (old) drop_entry(dir, old);
    } else {
        file_path(from, node->ino);
        path_join(step, files, "step");
        sys_unlink(step);
        if (syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, step, 0)) die("link", from);
        if (sys_rename(step, path)) die("rename", path);
        if (old) drop_entry(dir, old);
    }
    add_entry(dir, name, node);
}

/* The directory is synced: the shadow's names become its own. */
static void commit_dir(int fd, struct node *dir) {
    char path[PATH_MAX];
    dir_path(path, dir);
    if (dir != root_node && !dir->parent) sys_mkdir(path);
    int list_fd = (int)syscall(SYS_openat, fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    DIR *list = list_fd < 0 ? NULL : fdopendir(list_fd);
    if (!list) die("read the directory", path);
    for (int i = 0; i < NAME_BUCKETS; i++)
        for (struct entry *entry = dir->entries[i]; entry; entry = entry->next) entry->seen = 0;
    struct dirent *real;
    while ((real = readdir(list))) {
        struct stat st;
        if (!strcmp(real->d_name, ".") || !strcmp(real->d_name, "..")) continue;
        if (syscall(SYS_newfstatat, fd, real->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue; /* gone meanwhile */
        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) die("neither file nor directory", real->d_name);
        struct node *node = find_or_add(st.st_ino, S_ISDIR(st.st_mode));
        struct entry *entry = find_entry(dir, real->d_name);
        if (entry && entry->node == node) {
            entry->seen = 1;
        } else {
            put_name(dir, real->d_name, node, fd);
        }
    }
    closedir(list);
    for (int i = 0; i < NAME_BUCKETS; i++)
        for (struct entry *entry = dir->entries[i], *next; entry; entry = next) {
            next = entry->next;
            if (!entry->seen) remove_name(dir, entry);
        }
}

/* ---- start ---- */

static void copy_file(int from_fd, ino_t ino) {
    char path[PATH_MAX];
    struct stat st;
    file_path(path, ino);
    int to_fd = sys_open(path, O_WRONLY);
    if (to_fd < 0 || fstat(from_fd, &st)) die("open", path);
    off_t data = 0;
    while ((data = (off_t)syscall(SYS_lseek, from_fd, data, SEEK_DATA)) >= 0) {
        off_t hole = (off_t)syscall(SYS_lseek, from_fd, data, SEEK_HOLE);
        copy_range(from_fd, to_fd, data, hole);
        data = hole;
    }
    if (syscall(SYS_ftruncate, to_fd, st.st_size)) die("truncate", path);
    sys_close(to_fd);
}

/* What is there at the start is durable. */
static void adopt(const char *path, struct node *dir) {
    int fd = sys_open(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) die("open", path);
    commit_dir(fd, dir);
    sys_close(fd);
    for (int i = 0; i < NAME_BUCKETS; i++)
        for (struct entry *entry = dir->entries[i]; entry; entry = entry->next) {
            char below[PATH_MAX];
            path_join(below, path, entry->name);
            if (entry->node->is_dir) {
                adopt(below, entry->node);
                continue;
            }
            int file = sys_open(below, O_RDONLY);
            if (file < 0) die("open", below);
            copy_file(file, entry->node->ino);
            sys_close(file);
        }
}

__attribute__((constructor)) static void start(void) {
    const char *dir = getenv("DROPSYNC_DIR"), *to = getenv("DROPSYNC_SHADOW");
    struct stat st;
    if (!dir || !to) return;
    unsetenv("LD_PRELOAD"); /* children are not the disk's users */
    if (!realpath(dir, root) || stat(root, &st)) die("no such directory", dir);
    root_len = strlen(root);
    root_dev = st.st_dev;
    if ((size_t)snprintf(shadow, PATH_MAX, "%s", to) >= PATH_MAX - 8) die("path too long", to);
    strcat(strcpy(files, shadow), ".files");
    strcat(strcpy(lost, shadow), ".lost");
    sys_mkdir(shadow);
    sys_mkdir(files);
    sys_mkdir(lost);
    root_node = add_node(st.st_ino, 1);
    adopt(root, root_node);
    ready = 1;
}

/* ---- what the process calls ---- */

/* The node of a watched regular file. Takes the lock if it returns one. */
static struct node *take_file(int fd, struct stat *st) {
    if (!ready || fstat(fd, st) || !S_ISREG(st->st_mode) || st->st_dev != root_dev) return NULL;
    int saved = errno;
    pthread_mutex_lock(&lock);
    struct node *node = find(st->st_ino);
    if (!node || node->is_dir) {
        char path[PATH_MAX];
        node = NULL;
        if (path_of(fd, path) && is_inside(path)) {
            node = find_or_add(st->st_ino, 0);
            note_cut(node, 0);
            note_dirty(node, 0, st->st_size);
        }
    }
    errno = saved;
    if (!node) pthread_mutex_unlock(&lock);
    return node;
}

static void give_file(struct node *node, int fd, int written) {
    int saved = errno;
    /* O_DSYNC is a bit of O_SYNC. */
    if (written && (syscall(SYS_fcntl, fd, F_GETFL) & O_DSYNC)) commit_file(node, fd);
    pthread_mutex_unlock(&lock);
    errno = saved;
}

/* After a write at the descriptor's own position. */
static void wrote_here(struct node *node, int fd, ssize_t len) {
    if (len > 0) {
        off_t end = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
        note_dirty(node, end - len, end);
    }
    give_file(node, fd, len > 0);
}

/* After a write at a given position, which Linux ignores for files opened to append. */
static void wrote_at(struct node *node, int fd, ssize_t len, off_t at) {
    struct stat st;
    if (len > 0 && (syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) && !fstat(fd, &st)) at = st.st_size - len;
    if (len > 0) note_dirty(node, at, at + len);
    give_file(node, fd, len > 0);
}

#define WRITES_HERE(CALL)                         \
    struct stat st;                               \
    struct node *node = take_file(fd, &st);       \
    ssize_t len = CALL;                           \
    if (node) wrote_here(node, fd, len);          \
    return len

#define WRITES_AT(CALL)                           \
    struct stat st;                               \
    struct node *node = take_file(fd, &st);       \
    ssize_t len = CALL;                           \
    if (node) wrote_at(node, fd, len, at);        \
    return len

ssize_t write(int fd, const void *bytes, size_t count) {
    WRITES_HERE(syscall(SYS_write, fd, bytes, count));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    WRITES_HERE(syscall(SYS_writev, fd, parts, (long)count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    WRITES_AT(syscall(SYS_pwrite64, fd, bytes, count, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
    WRITES_AT(syscall(SYS_pwrite64, fd, bytes, count, at));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    WRITES_AT(syscall(SYS_pwritev, fd, parts, (long)count, at, 0L));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) {
    WRITES_AT(syscall(SYS_pwritev, fd, parts, (long)count, at, 0L));
}

static void refuse_watched(int fd, const char *what) {
    struct stat st;
    struct node *node = take_file(fd, &st);
    if (!node) return;
    char path[PATH_MAX] = "";
    path_of(fd, path);
    die(what, path);
}

ssize_t copy_file_range(int in, off_t *in_at, int fd, off_t *at, size_t count, unsigned flags) {
    struct stat st;
    struct node *node = take_file(fd, &st);
    ssize_t len = syscall(SYS_copy_file_range, in, in_at, fd, at, count, (long)flags);
    if (node && at) wrote_at(node, fd, len, *at - (len > 0 ? len : 0));
    if (node && !at) wrote_here(node, fd, len);
    return len;
}

ssize_t sendfile(int fd, int in, off_t *in_at, size_t count) {
    WRITES_HERE(syscall(SYS_sendfile, fd, in, in_at, count));
}

ssize_t sendfile64(int fd, int in, off_t *in_at, size_t count) {
    WRITES_HERE(syscall(SYS_sendfile, fd, in, in_at, count));
}

ssize_t splice(int in, off_t *in_at, int fd, off_t *at, size_t count, unsigned flags) {
    refuse_watched(fd, "splice is not modelled");
    return syscall(SYS_splice, in, in_at, fd, at, count, (long)flags);
}

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags) {
    refuse_watched(fd, "pwritev2 is not modelled");
    return syscall(SYS_pwritev2, fd, parts, (long)count, at, 0L, (long)flags);
}

static void *map(void *address, size_t len, int protection, int flags, int fd, off_t at) {
    /* MAP_SHARED_VALIDATE has the bit of MAP_SHARED. */
    if (ready && fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE))
        refuse_watched(fd, "a shared writable map is not modelled");
    return (void *)syscall(SYS_mmap, address, len, (long)protection, (long)flags, (long)fd, at);
}

void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t at) {
    return map(address, len, protection, flags, fd, at);
}

void *mmap64(void *address, size_t len, int protection, int flags, int fd, off_t at) {
    return map(address, len, protection, flags, fd, at);
}

int ftruncate(int fd, off_t len) {
    struct stat st;
    struct node *node = take_file(fd, &st);
    int failed = (int)syscall(SYS_ftruncate, fd, len);
    if (node && !failed) note_cut(node, len);
    if (node) give_file(node, fd, 0);
    return failed;
}

int ftruncate64(int fd, off_t len) {
    return ftruncate(fd, len);
}

int truncate(const char *path, off_t len) {
    int fd = sys_open(path, O_WRONLY);
    if (fd < 0) return -1;
    int failed = ftruncate(fd, len);
    sys_close(fd);
    return failed;
}

int truncate64(const char *path, off_t len) {
    return truncate(path, len);
}

int fallocate(int fd, int mode, off_t at, off_t len) {
    struct stat st;
    struct node *node = take_file(fd, &st);
    if (node && (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))) die("fallocate", "a mode");
    int failed = (int)syscall(SYS_fallocate, fd, (long)mode, at, len);
    if (node && !failed && (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))) note_dirty(node, at, at + len);
    if (node) give_file(node, fd, 0);
    return failed;
}

int fallocate64(int fd, int mode, off_t at, off_t len) {
    return fallocate(fd, mode, at, len);
}

int posix_fallocate(int fd, off_t at, off_t len) {
    return fallocate(fd, 0, at, len) ? errno : 0;
}

int posix_fallocate64(int fd, off_t at, off_t len) {
    return posix_fallocate(fd, at, len);
}

/* A new file or directory may have the number of one that is gone. */
static int open_watched(int dir, const char *path, int flags, mode_t mode) {
    if (!ready || !(flags & (O_CREAT | O_TRUNC))) return (int)syscall(SYS_openat, dir, path, flags, mode);
    struct stat st;
    pthread_mutex_lock(&lock);
    int existed = !syscall(SYS_newfstatat, dir, path, &st, 0);
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    int saved = errno;
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_dev == root_dev) {
        char full[PATH_MAX];
        if (!existed) forget(st.st_ino);
        struct node *node = find(st.st_ino);
        if (!node && path_of(fd, full) && is_inside(full)) node = find_or_add(st.st_ino, 0);
        if (node && existed && (flags & O_TRUNC)) note_cut(node, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(arguments, int) : 0;
}

#define OPENS(DIR)                                \
    va_list arguments;                            \
    va_start(arguments, flags);                   \
    mode_t mode = mode_of(flags, arguments);      \
    va_end(arguments);                            \
    return open_watched(DIR, path, flags, mode)

int open(const char *path, int flags, ...) {
    OPENS(AT_FDCWD);
}

int open64(const char *path, int flags, ...) {
    OPENS(AT_FDCWD);
}

int openat(int dir, const char *path, int flags, ...) {
    OPENS(dir);
}

int openat64(int dir, const char *path, int flags, ...) {
    OPENS(dir);
}

int creat(const char *path, mode_t mode) {
    return open_watched(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode) {
    return creat(path, mode);
}

int mkdirat(int dir, const char *path, mode_t mode) {
    struct stat st;
    if (!ready) return (int)syscall(SYS_mkdirat, dir, path, mode);
    pthread_mutex_lock(&lock);
    int failed = (int)syscall(SYS_mkdirat, dir, path, mode);
    int saved = errno;
    if (!failed && !syscall(SYS_newfstatat, dir, path, &st, 0) && st.st_dev == root_dev) forget(st.st_ino);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return failed;
}

int mkdir(const char *path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

static int sync_fd(int fd, long call) {
    struct stat st;
    char path[PATH_MAX];
    struct node *node = take_file(fd, &st);
    if (node) {
        commit_file(node, fd);
        give_file(node, fd, 0);
    } else if (ready && !fstat(fd, &st) && S_ISDIR(st.st_mode) && st.st_dev == root_dev && path_of(fd, path) && is_inside(path)) {
        pthread_mutex_lock(&lock);
        commit_dir(fd, st.st_ino == root_node->ino ? root_node : find_or_add(st.st_ino, 1));
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(call, fd);
}

int fsync(int fd) {
    return sync_fd(fd, SYS_fsync);
}

int fdatasync(int fd) {
    return sync_fd(fd, SYS_fdatasync);
}
