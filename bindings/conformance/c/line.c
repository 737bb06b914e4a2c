/* A line of a scenario, understood. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

/* Memory that lives until the line is over: each block begins with a pointer to the next one. */
static void *kept_blocks;

void misread(const char *why, const char *what) {
    fprintf(stderr, "runner: %s: %s\n", why, what);
    exit(2);
}

static void *allocate(size_t size) {
    void *memory = calloc(1, size == 0 ? 1 : size);
    if (memory == NULL) misread("no memory", "");
    return memory;
}

void *keep(size_t size) {
    void **block = allocate(size + sizeof(void *) * 2);
    *block = kept_blocks;
    kept_blocks = block;
    return block + 2;
}

void line_parse(line *of, const char *text) {
    memset(of, 0, sizeof *of);
    size_t name = strcspn(text, " ");
    if (name == 0 || name >= sizeof of->name) misread("no operation", text);
    memcpy(of->name, text, name);
    of->words = allocate(strlen(text) + 1);
    strcpy(of->words, text[name] == ' ' ? text + name + 1 : "");
    if (of->words[0] == 0 && text[name] == 0) return;
    of->count = 1;
    for (char *at = of->words; *at != 0; at++) {
        if (*at == ' ') {
            *at = 0;
            of->count++;
        }
    }
    char *at = of->words;
    for (size_t i = 0; i < of->count; i++, at += strlen(at) + 1) {
        if (strchr(at, '=') == NULL || of->count > sizeof of->taken) misread("no operation", text);
    }
}

void line_end(line *of) {
    const char *at = of->words;
    for (size_t i = 0; i < of->count; i++, at += strlen(at) + 1) {
        if (!of->taken[i]) misread("a word nobody knows", at);
    }
    free(of->words);
    while (kept_blocks != NULL) {
        void *next = *(void **)kept_blocks;
        free(kept_blocks);
        kept_blocks = next;
    }
}

const char *optional(line *of, const char *key) {
    const char *at = of->words;
    size_t len = strlen(key);
    for (size_t i = 0; i < of->count; i++, at += strlen(at) + 1) {
        if (strncmp(at, key, len) == 0 && at[len] == '=') {
            of->taken[i] = 1;
            return at + len + 1;
        }
    }
    return NULL;
}

const char *word(line *of, const char *key) {
    const char *value = optional(of, key);
    if (value == NULL) misread("lacks a word", key);
    return value;
}

uint64_t whole_number(const char *text) {
    uint64_t value = 0;
    if (*text == 0) misread("no number", text);
    for (const char *at = text; *at != 0; at++) {
        if (*at < '0' || *at > '9') misread("no number", text);
        value = value * 10 + (uint64_t)(*at - '0');
    }
    return value;
}

uint64_t number(line *of, const char *key) {
    return whole_number(word(of, key));
}

uint64_t number_or(line *of, const char *key, uint64_t otherwise) {
    const char *value = optional(of, key);
    return value == NULL ? otherwise : whole_number(value);
}

int32_t yes(line *of, const char *key, int32_t otherwise) {
    static const char *const names[] = {"0", "1", NULL};
    return choice(of, key, names, 0, otherwise);
}

int32_t choice(line *of, const char *key, const char *const *names, int32_t first, int32_t otherwise) {
    const char *value = optional(of, key);
    if (value == NULL) return otherwise;
    for (int32_t i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], value) == 0) return first + i;
    }
    misread("no such value", value);
    return otherwise;
}

int32_t level(line *of, int32_t otherwise) {
    static const char *const names[] = {"buffered", "os", "disk", NULL};
    return choice(of, "level", names, WAL_LEVEL_BUFFERED, otherwise);
}

/* The value of the digit a text begins with. */
static int digit(const char *text) {
    if (*text >= '0' && *text <= '9') return *text - '0';
    if (*text >= 'a' && *text <= 'f') return *text - 'a' + 10;
    misread("no hexadecimal digit", text);
    return 0;
}

bytes literal(const char *text) {
    bytes found = {NULL, 0};
    if (strncmp(text, "text:", 5) == 0) {
        found.len = strlen(text + 5);
        found.data = keep(found.len);
        memcpy(found.data, text + 5, found.len);
    } else if (strncmp(text, "hex:", 4) == 0) {
        found.len = (strlen(text + 4) + 1) / 2;
        found.data = keep(found.len);
        for (size_t at = 0; at < found.len; at++) {
            int high = digit(text + 4 + 2 * at);
            found.data[at] = (unsigned char)(high << 4 | digit(text + 5 + 2 * at));
        }
    } else if (strncmp(text, "zeros:", 6) == 0) {
        found.len = (size_t)whole_number(text + 6);
        found.data = keep(found.len);
    } else if (strncmp(text, "pattern:", 8) == 0) {
        char seed[24] = "";
        size_t len = strcspn(text + 8, ":");
        if (len >= sizeof seed || text[8 + len] == 0) misread("no literal", text);
        memcpy(seed, text + 8, len);
        found.len = (size_t)whole_number(text + 8 + len + 1);
        found.data = keep(found.len);
        pattern(whole_number(seed), found.data, found.len);
    } else {
        misread("no literal", text);
    }
    return found;
}

bytes bytes_of(line *of, const char *key) {
    return literal(word(of, key));
}

char **items_of(line *of, const char *key, size_t *count) {
    const char *list = word(of, key);
    char *copy = keep(strlen(list) + 1);
    strcpy(copy, list);
    *count = *copy == 0 ? 0 : 1;
    for (const char *at = copy; *at != 0; at++) *count += *at == ',';
    char **items = keep((*count + 1) * sizeof *items);
    for (size_t i = 0; i < *count; i++) {
        items[i] = copy;
        copy += strcspn(copy, ",");
        *copy++ = 0;
    }
    return items;
}

bytes_list bytes_list_of(line *of, const char *key) {
    bytes_list list = {NULL, 0};
    char **items = items_of(of, key, &list.count);
    list.items = keep((list.count + 1) * sizeof *list.items);
    for (size_t i = 0; i < list.count; i++) {
        bytes item = literal(items[i]);
        list.items[i].data = item.data;
        list.items[i].len = item.len;
    }
    return list;
}

int32_t position(line *of, const char *key, uint64_t *at) {
    const char *value = word(of, key);
    *at = 0;
    if (strcmp(value, "first") == 0) return WAL_FROM_FIRST;
    if (strcmp(value, "end") == 0) return WAL_FROM_END;
    if (strncmp(value, "time:", 5) == 0) {
        *at = whole_number(value + 5);
        return WAL_FROM_TIME;
    }
    *at = whole_number(value);
    return WAL_FROM_LSN;
}
