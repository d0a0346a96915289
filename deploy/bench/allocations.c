// Counts what a process asks of the allocator and of the kernel, for allocations.py: built by it, and loaded into each
// process of a cluster with LD_PRELOAD.
//
//     a file in COUNTING_FOLDER for each process, named by its id, shared with the script:
//     | armed | sampleEvery | a counter for each call in `enum call` | places that allocate: count, bytes, frames |
//
// Counts only while `armed` is not 0, which the script sets when the servers are warm. Every `sampleEvery`-th allocation
// leaves its stack. Calls that the C library makes inside itself are not seen here; strace sees them.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// In this order in allocations.py.
enum call {
    MALLOC, CALLOC, REALLOC, ALIGNED, FREE,
    READ, READV, RECV, WRITE, WRITEV, SEND, EPOLL_WAIT, EPOLL_CTL, ACCEPT, CLOSE, FDATASYNC, PREAD, PWRITE,
    CALLS = 32
};
enum { FRAMES = 16, STACKS = 2048 };

struct stack { uint64_t count, bytes, frames[FRAMES]; };
struct counts {
    _Atomic uint64_t armed;
    uint64_t sampleEvery;
    _Atomic uint64_t calls[CALLS];
    struct stack stacks[STACKS];
};

static struct counts *counts;  // a mapping; null in processes that nobody counts
static _Atomic uint64_t sampled;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static __thread int inside;  // this thread is unwinding, which may allocate

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
#define COUNTED(call) do { struct counts *c = counts; if (c && c->armed) c->calls[call]++; } while (0)

static void *real(const char *name, void **kept) {
    if (!*kept) *kept = dlsym(RTLD_NEXT, name);
    return *kept;
}

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("COUNTING_FOLDER");
    if (!folder) return;
    void *frames[2];
    backtrace(frames, 2);  // loads the unwinder, which allocates
    char path[4096];
    snprintf(path, sizeof path, "%s/%d", folder, (int)getpid());
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct counts)) != 0) return;
    void *mapping = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapping != MAP_FAILED) counts = mapping;
}

static void keep_stack(struct counts *c, size_t bytes) {
    void *frames[FRAMES + 2] = {0};
    inside = 1;
    int depth = backtrace(frames, FRAMES + 2);
    inside = 0;
    if (depth <= 2 || atomic_flag_test_and_set(&busy)) return;
    uint64_t hash = 0;
    for (int at = 2; at < depth; at++) hash = (hash ^ (uint64_t)frames[at]) * 0x9E3779B97F4A7C15u;
    for (uint64_t probe = 0; probe < STACKS; probe++) {
        struct stack *each = &c->stacks[((hash >> 32) + probe) % STACKS];
        if (each->count == 0) memcpy(each->frames, frames + 2, sizeof each->frames);
        if (memcmp(each->frames, frames + 2, sizeof each->frames) != 0) continue;
        each->count++;
        each->bytes += bytes;
        break;
    }
    atomic_flag_clear(&busy);
}

static void allocated(enum call call, size_t bytes) {
    struct counts *c = counts;
    if (!c || !c->armed || inside) return;
    c->calls[call]++;
    if (c->sampleEvery && sampled++ % c->sampleEvery == 0) keep_stack(c, bytes);
}

// The allocator's own names, so that dlsym, which may allocate, is not needed before there is an allocator.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t), __libc_free(void *);

__attribute__((noinline)) void *malloc(size_t size) { allocated(MALLOC, size); return __libc_malloc(size); }
__attribute__((noinline)) void *calloc(size_t count, size_t size) {
    allocated(CALLOC, count * size);
    return __libc_calloc(count, size);
}
__attribute__((noinline)) void *realloc(void *old, size_t size) {
    allocated(REALLOC, size);
    return __libc_realloc(old, size);
}
__attribute__((noinline)) void *memalign(size_t alignment, size_t size) {
    allocated(ALIGNED, size);
    return __libc_memalign(alignment, size);
}
__attribute__((noinline)) void *aligned_alloc(size_t alignment, size_t size) {
    allocated(ALIGNED, size);
    return __libc_memalign(alignment, size);
}
__attribute__((noinline)) int posix_memalign(void **result, size_t alignment, size_t size) {
    allocated(ALIGNED, size);
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : 12;  // ENOMEM
}
void free(void *memory) {
    if (memory) COUNTED(FREE);
    __libc_free(memory);
}

#define PASSED_ON(result, call, name, parameters, arguments) \
    static void *real_##name; \
    result name parameters { COUNTED(call); return REAL(name) arguments; }

PASSED_ON(ssize_t, READ, read, (int file, void *to, size_t size), (file, to, size))
PASSED_ON(ssize_t, READV, readv, (int file, const struct iovec *to, int count), (file, to, count))
PASSED_ON(ssize_t, RECV, recv, (int file, void *to, size_t size, int flags), (file, to, size, flags))
PASSED_ON(ssize_t, RECV, recvmsg, (int file, struct msghdr *to, int flags), (file, to, flags))
PASSED_ON(ssize_t, WRITE, write, (int file, const void *from, size_t size), (file, from, size))
PASSED_ON(ssize_t, WRITEV, writev, (int file, const struct iovec *from, int count), (file, from, count))
PASSED_ON(ssize_t, SEND, send, (int file, const void *from, size_t size, int flags), (file, from, size, flags))
PASSED_ON(ssize_t, SEND, sendmsg, (int file, const struct msghdr *from, int flags), (file, from, flags))
PASSED_ON(int, EPOLL_WAIT, epoll_wait, (int file, struct epoll_event *to, int most, int wait), (file, to, most, wait))
PASSED_ON(int, EPOLL_WAIT, epoll_pwait, (int file, struct epoll_event *to, int most, int wait, const sigset_t *mask),
    (file, to, most, wait, mask))
PASSED_ON(int, EPOLL_CTL, epoll_ctl, (int file, int what, int of, struct epoll_event *event), (file, what, of, event))
PASSED_ON(int, ACCEPT, accept4, (int file, struct sockaddr *from, socklen_t *size, int flags), (file, from, size, flags))
PASSED_ON(int, CLOSE, close, (int file), (file))
PASSED_ON(int, FDATASYNC, fdatasync, (int file), (file))
PASSED_ON(ssize_t, PREAD, pread64, (int file, void *to, size_t size, off_t at), (file, to, size, at))
PASSED_ON(ssize_t, PWRITE, pwrite64, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
