#pragma once
#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift can't call.
static inline int usher_sqlite3_db_config_int(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}
