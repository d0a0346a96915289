#pragma once
#include <fcntl.h>
#include <linux/stat.h>
#include <sqlite3.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// sqlite3_db_config is variadic, which Swift can't call.
static inline int usher_sqlite3_db_config_int(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}

// The inode of a file, and the second and nanosecond of its making, or 0 where the file system does not know. statx(2) is
// in no header that Swift's Glibc reads. Gives 0, or -1 with errno.
static inline int usher_file_identity(const char *path, uint64_t *identity) {
    struct statx status;
    if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &status) != 0) return -1;
    int is_known = (status.stx_mask & STATX_BTIME) != 0;
    identity[0] = status.stx_ino;
    identity[1] = is_known ? (uint64_t)status.stx_btime.tv_sec : 0;
    identity[2] = is_known ? status.stx_btime.tv_nsec : 0;
    return 0;
}
