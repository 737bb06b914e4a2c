/* What is done to files without the library. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

static char *joined(const char *directory, const char *name) {
    char *path = keep(strlen(directory) + strlen(name) + 2);
    sprintf(path, "%s/%s", directory, name);
    return path;
}

static void must(int done, const char *what) {
    if (!done) misread(strerror(errno), what);
}

/* A line of a golden log: `file NAME LENGTH` begins a file, `OFFSET HEX` stands in it. */
static void unpack_line(const char *directory, char *text, FILE **file) {
    char name[64], digits[128];
    unsigned long long number = 0;
    if (sscanf(text, "file %63s %llu", name, &number) == 2) {
        if (*file != NULL) fclose(*file);
        *file = fopen(joined(directory, name), "w");
        must(*file != NULL && ftruncate(fileno(*file), (off_t)number) == 0, name);
        return;
    }
    char literal_text[160];
    if (*file == NULL || sscanf(text, "%llu %127s", &number, digits) != 2) misread("golden", text);
    sprintf(literal_text, "hex:%s", digits);
    bytes found = literal(literal_text);
    must(fseek(*file, (long)number, SEEK_SET) == 0, text);
    must(fwrite(found.data, 1, found.len, *file) == found.len, text);
}

static void unpack(line *of) {
    const char *directory = path_of(of, "dir");
    char *name = keep(strlen(word(of, "name")) + sizeof ".golden");
    sprintf(name, "%s.golden", word(of, "name"));
    FILE *text = fopen(joined(golden, name), "r"), *file = NULL;
    char line_text[256];
    must(text != NULL, name);
    must(mkdir(directory, 0777) == 0, directory);
    while (fgets(line_text, sizeof line_text, text) != NULL) {
        if (line_text[0] != '#' && line_text[0] != '\n') unpack_line(directory, line_text, &file);
    }
    if (file != NULL) must(fclose(file) == 0, name);
    fclose(text);
}

static void copy_file(const char *from, const char *to) {
    int source = open(from, O_RDONLY);
    /* It may have gone meanwhile. */
    if (source < 0 && errno == ENOENT) return;
    int target = open(to, O_WRONLY | O_CREAT | O_EXCL, 0666);
    must(source >= 0 && target >= 0, from);
    char buffer[65536];
    ssize_t len;
    while ((len = read(source, buffer, sizeof buffer)) > 0) {
        must(write(target, buffer, (size_t)len) == len, to);
    }
    must(len == 0, from);
    close(source);
    close(target);
}

/* Copies every file of a directory, or removes it if there is no target. */
static void each_file(const char *directory, const char *target) {
    DIR *entries = opendir(directory);
    struct dirent *entry;
    must(entries != NULL, directory);
    while ((entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        const char *path = joined(directory, entry->d_name);
        if (target != NULL) copy_file(path, joined(target, entry->d_name));
        else must(unlink(path) == 0 || errno == ENOENT, path);
    }
    closedir(entries);
}

static void remove_directory(const char *directory) {
    /* A log that is open may make a file meanwhile. */
    for (int tries = 0; tries < 100; tries++) {
        each_file(directory, NULL);
        if (rmdir(directory) == 0) return;
        must(errno == ENOTEMPTY || errno == EEXIST, directory);
    }
    misread("is never empty", directory);
}

static void damage(line *of) {
    const char *path = joined(path_of(of, "dir"), word(of, "file"));
    off_t offset = (off_t)number(of, "offset");
    unsigned char byte = 0;
    int file = open(path, O_RDWR);
    must(file >= 0 && pread(file, &byte, 1, offset) == 1, path);
    byte ^= (unsigned char)number(of, "xor");
    must(pwrite(file, &byte, 1, offset) == 1, path);
    close(file);
}

static void make_file(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT, 0666);
    must(file >= 0, path);
    close(file);
}

static void sleep_for(uint64_t milliseconds) {
    struct timespec span = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    nanosleep(&span, NULL);
}

int files(line *of) {
    struct stat status;
    if (strcmp(of->name, "golden") == 0) {
        unpack(of);
    } else if (strcmp(of->name, "snapshot") == 0) {
        const char *directory = path_of(of, "dir"), *target = path_of(of, "to");
        must(mkdir(target, 0777) == 0, target);
        each_file(directory, target);
    } else if (strcmp(of->name, "damage") == 0) {
        damage(of);
    } else if (strcmp(of->name, "cut_file") == 0) {
        const char *path = joined(path_of(of, "dir"), word(of, "file"));
        must(truncate(path, (off_t)number(of, "length")) == 0, path);
    } else if (strcmp(of->name, "remove_file") == 0) {
        const char *path = joined(path_of(of, "dir"), word(of, "file"));
        must(unlink(path) == 0, path);
    } else if (strcmp(of->name, "remove_dir") == 0) {
        remove_directory(path_of(of, "dir"));
    } else if (strcmp(of->name, "make_file") == 0) {
        make_file(path_of(of, "dir"));
    } else if (strcmp(of->name, "sleep") == 0) {
        sleep_for(number(of, "ms"));
    } else if (strcmp(of->name, "exists") == 0) {
        printf("ok exists=%d\n", stat(path_of(of, "dir"), &status) == 0);
        return 1;
    } else {
        return 0;
    }
    printf("ok\n");
    return 1;
}
