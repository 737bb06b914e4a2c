/* One thread and epoll: appends thousands of records, and never waits for the disk. Each wake-up
 * takes everything that has become durable since the last one, and fills up what is in flight.
 *
 *     ./event_loop DIRECTORY
 *
 * A timer stands for the rest of a program's life: it goes on ticking while the disk works.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <wal.h>

enum { RECORDS = 20000, IN_FLIGHT_MAX = 4000 };

static int complain(const char *doing, const wal_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", doing, err->message, wal_code_name(err->code));
    return 1;
}

/* Where each record is: the loop's own memory, found again by the token of its append. */
struct loop {
    const wal_completions *completions;
    uint64_t lsns[RECORDS];
    unsigned submitted;
    unsigned durable;
    unsigned wake_ups;
    unsigned ticks;
};

static int submit_some(struct loop *loop, wal_error *err) {
    while (loop->submitted < RECORDS && loop->submitted - loop->durable < IN_FLIGHT_MAX) {
        char text[32];
        wal_slice record;
        record.data = text;
        record.len = (size_t)snprintf(text, sizeof text, "measurement %u", loop->submitted);
        if (wal_completions_submit(loop->completions, &record, 1, NULL, loop->submitted, NULL, NULL,
                                   err) != WAL_OK) {
            return complain("submit", err);
        }
        loop->submitted++;
    }
    return 0;
}

/* Here a server would answer whoever sent the record; this one only notes where it is. */
static int take_all(struct loop *loop, wal_error *err) {
    wal_completion ended[256];
    size_t count = 0, i;
    do {
        if (wal_completions_take(loop->completions, ended, 256, &count, err) != WAL_OK) {
            return complain("take", err);
        }
        for (i = 0; i < count; i++) {
            if (ended[i].code != WAL_OK) {
                fprintf(stderr, "record %" PRIu64 ": %s\n", ended[i].token,
                        wal_code_text(ended[i].code));
                return 1;
            }
            loop->lsns[ended[i].token] = ended[i].first_lsn;
            loop->durable++;
        }
    } while (count == 256);
    return 0;
}

static int watch(int epoll, int fd) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    event.data.fd = fd;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int run(struct loop *loop, int epoll, int timer, wal_error *err) {
    int status = submit_some(loop, err);
    while (status == 0 && loop->durable < RECORDS) {
        struct epoll_event events[2];
        int ready = epoll_wait(epoll, events, 2, -1), i;
        for (i = 0; i < ready && status == 0; i++) {
            if (events[i].data.fd == timer) {
                uint64_t expirations = 0;
                if (read(timer, &expirations, sizeof expirations) > 0) loop->ticks++;
                continue;
            }
            loop->wake_ups++;
            status = take_all(loop, err);
            if (status == 0) status = submit_some(loop, err);
        }
    }
    return status;
}

/* Holds the log against what the loop was told of. */
static int32_t on_record(uint64_t lsn, const void *data, size_t len, uint32_t flags,
                         void *payload) {
    struct loop *loop = payload;
    char text[32] = "";
    unsigned number = 0;
    (void)flags;
    memcpy(text, data, len < sizeof text ? len : sizeof text - 1);
    if (sscanf(text, "measurement %u", &number) == 1 && number < RECORDS &&
        loop->lsns[number] == lsn) {
        loop->durable--;
    }
    return 0;
}

static int loop_on(const wal_log *log, wal_error *err) {
    static struct loop loop;
    struct itimerspec each = {{0, 1000000}, {0, 1000000}};
    wal_completions *completions = NULL;
    int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int status;
    if (wal_completions_open(log, &completions, err) != WAL_OK) return complain("open", err);
    loop.completions = completions;
    if (epoll < 0 || timer < 0 || timerfd_settime(timer, 0, &each, NULL) != 0 ||
        watch(epoll, timer) != 0 || watch(epoll, wal_completions_fd(completions)) != 0) {
        perror("event_loop");
        return 1;
    }
    status = run(&loop, epoll, timer, err);
    /* Out of epoll before its descriptor goes. */
    close(epoll);
    close(timer);
    wal_completions_release(completions);
    if (status == 0 && wal_replay(log, WAL_FROM_FIRST, 0, on_record, &loop, NULL, err) != WAL_OK) {
        return complain("replay", err);
    }
    printf("%u records in %u wake-ups, %u lost\n", loop.submitted, loop.wake_ups, loop.durable);
    printf("the timer ticked %u times meanwhile\n", loop.ticks);
    return status != 0 || loop.durable != 0;
}

int main(int argc, char **argv) {
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    int status;
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (wal_open(argv[1], NULL, &log, NULL, &err) != WAL_OK) {
        return complain("open", &err);
    }
    status = loop_on(log, &err);
    if (wal_close(log, &err) != WAL_OK && status == 0) {
        status = complain("close", &err);
    }
    wal_release(log);
    return status;
}
