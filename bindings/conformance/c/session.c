/* What is kept between the lines of a scenario, by kind and name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

const char *scratch;
const char *golden;

static struct {
    enum kept kind;
    char name[32];
    void *object;
} entries[64];

static const char *const KINDS[] = {"log", "cursor", "follower", "ticket"};

static void release(enum kept kind, void *object) {
    switch (kind) {
        case LOG: wal_release(object); break;
        case CURSOR: wal_cursor_release(object); break;
        case FOLLOWER: wal_follower_release(object); break;
        case TICKET: free(object); break;
    }
}

/* The place of a name, or a free one. */
static size_t place(enum kept kind, line *of) {
    const char *name = optional(of, KINDS[kind]);
    size_t end = sizeof entries / sizeof entries[0], free_place = end;
    if (name == NULL) name = KINDS[kind];
    for (size_t at = 0; at < end; at++) {
        if (entries[at].object == NULL) {
            free_place = at;
        } else if (entries[at].kind == kind && strcmp(entries[at].name, name) == 0) {
            return at;
        }
    }
    if (free_place == end || strlen(name) >= sizeof entries[0].name) misread("too much", name);
    entries[free_place].kind = kind;
    strcpy(entries[free_place].name, name);
    return free_place;
}

void *kept(enum kept kind, line *of) {
    void *object = entries[place(kind, of)].object;
    if (object == NULL) misread("nothing of this name", KINDS[kind]);
    return object;
}

void put(enum kept kind, line *of, void *object) {
    size_t at = place(kind, of);
    if (entries[at].object != NULL) release(kind, entries[at].object);
    entries[at].object = object;
}

void drop(enum kept kind, line *of) {
    size_t at = place(kind, of);
    release(kind, entries[at].object);
    entries[at].object = NULL;
}

void drop_all(void) {
    for (size_t at = 0; at < sizeof entries / sizeof entries[0]; at++) {
        if (entries[at].object != NULL) release(entries[at].kind, entries[at].object);
        entries[at].object = NULL;
    }
}

const char *path_of(line *of, const char *key) {
    const char *name = optional(of, key);
    if (name == NULL && strcmp(key, "dir") != 0) misread("lacks a word", key);
    if (name == NULL) name = "log";
    char *path = keep(strlen(scratch) + strlen(name) + 2);
    sprintf(path, "%s/%s", scratch, name);
    return path;
}
