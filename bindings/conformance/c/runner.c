/* The conformance runner in C: run SCENARIO SCRATCH, write DIR COUNT SEED, read DIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static void take(const char *text) {
    static int (*const groups[])(line *) = {opening,   appending, telling, reading,
                                            following, changing,  looking, files};
    line of;
    line_parse(&of, text);
    printf("> %s\n", text);
    size_t at = 0, count = sizeof groups / sizeof groups[0];
    while (at < count && !groups[at](&of)) at++;
    if (at == count) misread("no such operation", text);
    line_end(&of);
}

/* Where the golden logs are: beside the directory of the scenario. */
static char *golden_of(const char *scenario) {
    const char *slash = strrchr(scenario, '/');
    int len = slash == NULL ? 1 : (int)(slash - scenario);
    size_t size = (size_t)len + sizeof "/../golden";
    char *path = malloc(size);
    if (path == NULL) misread("no memory", scenario);
    snprintf(path, size, "%.*s/../golden", len, slash == NULL ? "." : scenario);
    return path;
}

static int run(const char *scenario, const char *directory) {
    FILE *file = fopen(scenario, "r");
    if (file == NULL) misread("cannot be opened", scenario);
    char *path = golden_of(scenario), *text = NULL;
    size_t size = 0;
    scratch = directory;
    golden = path;
    while (getline(&text, &size, file) > 0) {
        text[strcspn(text, "\n")] = 0;
        if (text[0] != 0 && text[0] != '#') take(text);
    }
    drop_all();
    free(text);
    free(path);
    fclose(file);
    return 0;
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "run") == 0) return run(words[2], words[3]);
    if (count == 5 && strcmp(words[1], "write") == 0) {
        return write_until_killed(words[2], whole_number(words[3]), whole_number(words[4]));
    }
    if (count == 3 && strcmp(words[1], "read") == 0) return read_back(words[2]);
    fprintf(stderr, "usage: runner run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR\n");
    return 2;
}
