/* The key-value state: set, read, delete, several at once, list. */
#include "testing.h"

static void check_value(const wal_log *log, const char *key, const char *value) {
    char buffer[64];
    size_t len = 0;
    OK(wal_value_read(log, key, strlen(key), buffer, sizeof buffer, &len, &err));
    CHECK(len == strlen(value) && memcmp(buffer, value, len) == 0);
}

static void values_survive_reopening(void) {
    wal_log *log = open_at("values");
    char buffer[2];
    size_t len = 9;
    int32_t existed = -1;
    RETURNS(WAL_ERR_NOT_FOUND, wal_value_read(log, "k", 1, buffer, sizeof buffer, &len, &err));
    CHECK(len == 9);
    OK(wal_value_set(log, "vote", 4, "node 3", 6, &err));
    OK(wal_value_set(log, "empty", 5, NULL, 0, &err));
    check_value(log, "vote", "node 3");
    check_value(log, "empty", "");
    RETURNS(WAL_ERR_FULL, wal_value_read(log, "vote", 4, buffer, sizeof buffer, &len, &err));
    CHECK(len == 6);
    OK(wal_value_delete(log, "empty", 5, &existed, &err));
    CHECK(existed == 1);
    OK(wal_value_delete(log, "empty", 5, &existed, &err));
    CHECK(existed == 0);
    close_and_release(log);
    log = open_at("values");
    check_value(log, "vote", "node 3");
    RETURNS(WAL_ERR_NOT_FOUND, wal_value_read(log, "empty", 5, buffer, 2, &len, &err));
    close_and_release(log);
}

struct listed {
    char text[256];
    int stop_after;
    int count;
};

static int32_t on_entry(const void *key, size_t key_len, const void *value, size_t value_len,
                        void *payload) {
    struct listed *listed = payload;
    strncat(listed->text, key, key_len);
    strcat(listed->text, "=");
    strncat(listed->text, value, value_len);
    strcat(listed->text, ";");
    listed->count++;
    return listed->count == listed->stop_after;
}

static void set_change(wal_value_change *change, const char *key, const char *value) {
    memset(change, 0, sizeof *change);
    change->key.data = key;
    change->key.len = strlen(key);
    change->remove = value == NULL;
    if (value != NULL) {
        change->value.data = value;
        change->value.len = strlen(value);
    }
}

static void several_change_together(void) {
    wal_log *log = open_at("several");
    wal_value_change changes[3];
    struct listed listed;
    set_change(&changes[0], "term", "7");
    set_change(&changes[1], "applied", "100");
    set_change(&changes[2], "vote", "b");
    OK(wal_value_update(log, changes, 3, &err));
    set_change(&changes[0], "term", "8");
    set_change(&changes[1], "vote", NULL);
    OK(wal_value_update(log, changes, 2, &err));
    memset(&listed, 0, sizeof listed);
    OK(wal_value_list(log, on_entry, &listed, &err));
    CHECK(strcmp(listed.text, "applied=100;term=8;") == 0);
    memset(&listed, 0, sizeof listed);
    listed.stop_after = 1;
    OK(wal_value_list(log, on_entry, &listed, &err));
    CHECK(strcmp(listed.text, "applied=100;") == 0);
    close_and_release(log);
}

static void a_key_or_value_too_long_is_refused(void) {
    static char bytes[5000];
    wal_log *log = open_at("long");
    RETURNS(WAL_ERR_INVALID, wal_value_set(log, bytes, 256, "v", 1, &err));
    RETURNS(WAL_ERR_INVALID, wal_value_set(log, "k", 1, bytes, 4097, &err));
    OK(wal_value_set(log, bytes, 255, bytes, 4096, &err));
    close_and_release(log);
}

static void test(void) {
    values_survive_reopening();
    several_change_together();
    a_key_or_value_too_long_is_refused();
}
