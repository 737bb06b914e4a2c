/* Collects messages that come as datagrams of a unix socket, as a syslog daemon does, and survives
 * kill -9: a message is acknowledged when it is on disk, and not before.
 *
 *     ./collector DIRECTORY SOCKET
 *
 * A message begins with a word of the sender's choice. The acknowledgement is that word and the
 * LSN of the record. A sender without one sends again: so a message may be there twice, and never
 * not at all. SIGTERM ends the collector when everything in flight is acknowledged.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <wal.h>

enum { IN_FLIGHT_MAX = 1024, MESSAGE_BYTES_MAX = 8192, WORD_BYTES_MAX = 32 };

/* A message on its way to the disk: whom to tell, and what. */
struct message {
    struct sockaddr_un from;
    socklen_t from_len;
    char word[WORD_BYTES_MAX];
};

static struct message in_flight[IN_FLIGHT_MAX];
/* The places of `in_flight` that are free. */
static unsigned free_places[IN_FLIGHT_MAX];
static unsigned free_count;

static volatile sig_atomic_t is_stopping;

static void stop(int signal_number) {
    (void)signal_number;
    is_stopping = 1;
}

static int complain(const char *doing, const wal_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", doing, err->message, wal_code_name(err->code));
    return 1;
}

static int listen_at(const char *path) {
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (fd < 0 || strlen(path) >= sizeof address.sun_path) return -1;
    strcpy(address.sun_path, path);
    /* One of a collector that was killed. */
    unlink(path);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

/* Takes what has come, as far as there are places: more stays in the socket, and makes its senders
 * wait. */
static int receive(int fd, const wal_completions *completions, wal_error *err) {
    static char text[MESSAGE_BYTES_MAX];
    while (free_count > 0) {
        unsigned place = free_places[free_count - 1];
        struct message *message = &in_flight[place];
        wal_slice record;
        ssize_t len;
        message->from_len = sizeof message->from;
        len = recvfrom(fd, text, sizeof text, MSG_DONTWAIT, (struct sockaddr *)&message->from,
                       &message->from_len);
        if (len < 0) return 0;
        snprintf(message->word, sizeof message->word, "%.*s", (int)len, text);
        message->word[strcspn(message->word, " ")] = 0;
        record.data = text;
        record.len = (size_t)len;
        if (wal_completions_submit(completions, &record, 1, NULL, place, NULL, NULL, err) != WAL_OK) {
            return complain("submit", err);
        }
        free_count--;
    }
    return 0;
}

/* Tells the senders of what has become durable. */
static int acknowledge(int fd, const wal_completions *completions, wal_error *err) {
    wal_completion ended[64];
    size_t count = 0, i;
    if (wal_completions_take(completions, ended, 64, &count, err) != WAL_OK) {
        return complain("take", err);
    }
    for (i = 0; i < count; i++) {
        const struct message *message = &in_flight[ended[i].token];
        char told[WORD_BYTES_MAX + 24];
        int len = snprintf(told, sizeof told, "%s %" PRIu64, message->word, ended[i].first_lsn);
        free_places[free_count++] = (unsigned)ended[i].token;
        if (ended[i].code == WAL_ERR_FULL) continue; /* not acknowledged: it will be sent again */
        if (ended[i].code != WAL_OK) {
            fprintf(stderr, "append: %s\n", wal_code_text(ended[i].code));
            return 1;
        }
        /* A sender that does not listen any more is no reason to stop. */
        (void)!sendto(fd, told, (size_t)len, MSG_DONTWAIT, (const struct sockaddr *)&message->from,
                      message->from_len);
    }
    return 0;
}

static int serve(int fd, const wal_completions *completions, wal_error *err) {
    int status = 0;
    while (status == 0 && (!is_stopping || free_count < IN_FLIGHT_MAX)) {
        struct pollfd both[2];
        both[0].fd = wal_completions_fd(completions);
        both[0].events = POLLIN;
        /* -1 is looked at by nobody. */
        both[1].fd = is_stopping || free_count == 0 ? -1 : fd;
        both[1].events = POLLIN;
        if (poll(both, 2, 100) < 0) {
            if (errno == EINTR) continue;
            perror("poll");
            return 1;
        }
        if (both[0].revents & POLLIN) status = acknowledge(fd, completions, err);
        if (status == 0 && both[1].revents & POLLIN) status = receive(fd, completions, err);
    }
    return status;
}

int main(int argc, char **argv) {
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    wal_completions *completions = NULL;
    struct sigaction action;
    int fd, status;
    if (argc != 3) {
        fprintf(stderr, "usage: %s DIRECTORY SOCKET\n", argv[0]);
        return 2;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    sigaction(SIGTERM, &action, NULL);
    while (free_count < IN_FLIGHT_MAX) {
        free_places[free_count] = free_count;
        free_count++;
    }
    if (wal_open(argv[1], NULL, &log, NULL, &err) != WAL_OK) return complain("open", &err);
    fd = listen_at(argv[2]);
    if (fd < 0) {
        perror(argv[2]);
        wal_release(log);
        return 1;
    }
    printf("collecting after record %" PRIu64 "\n", wal_last_lsn(log));
    fflush(stdout);
    status = wal_completions_open(log, &completions, &err) == WAL_OK
                 ? serve(fd, completions, &err)
                 : complain("open", &err);
    wal_completions_release(completions);
    close(fd);
    unlink(argv[2]);
    if (wal_close(log, &err) != WAL_OK && status == 0) status = complain("close", &err);
    wal_release(log);
    return status;
}
