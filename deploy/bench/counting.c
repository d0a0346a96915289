// What a Swift program can't ask by itself, for `benchmarks core counted` and `benchmarks memory`: preloaded by core.py.
//
// Tells callgrind from when to when it counts; without valgrind that does nothing. Says what the allocator has given away,
// with its headers: Swift can't call what returns a C structure that it does not import.

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <valgrind/callgrind.h>

void counting_begins(int number) {
    (void)number;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

void counting_ends(int number) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    CALLGRIND_DUMP_STATS_AT(text);
    CALLGRIND_STOP_INSTRUMENTATION;
}

uint64_t allocated_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
