/* Random clients against a daemon whose shards stall: frames of 1 byte to far beyond 64 KiB, cut
 * anywhere, pipelined, some connections cancelled in the middle. Whatever they do, replies come in
 * order and each is that of its own document. The seed is printed; L0_TEST_SEED runs one again. */
#include "tests/draw.h"
#include "tests/system/traffic.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 5, DOCS = 64, DEPTH = 6, ROUNDS = 120, LARGEST_BYTES = 200000 };

struct prop_client {
    pthread_t thread;
    const struct daemon *d;
    uint64_t random;
    unsigned rounds, answered, cancelled;
    char failure[128];
};

static struct traffic_doc docs[DOCS];

/* Around the powers of two up to the largest, and around 64 KiB above all. */
static uint32_t draw_size(uint64_t *random)
{
    uint32_t size = UINT32_C(1) << draw(random, 17);
    if (draw(random, 3) == 0)
        size = draw(random, LARGEST_BYTES);
    size += draw(random, 5);
    return size < 3 ? 1 : size - 2;
}

static bool send_cut(int fd, const uint8_t *bytes, size_t n, uint64_t *random)
{
    while (n > 0) {
        size_t piece = 1 + draw(random, draw(random, 4) == 0 ? 10 : 70000);
        piece = piece < n ? piece : n;
        if (!daemon_write(fd, bytes, piece))
            return false;
        bytes += piece;
        n -= piece;
    }
    return true;
}

/* One burst of frames and their replies, or a connection that ends somewhere in it; false: so. */
static bool prop_round(struct prop_client *c, int fd)
{
    const struct traffic_doc *sent[DEPTH];
    uint32_t n = 1 + draw(&c->random, DEPTH);
    uint32_t leave_at = draw(&c->random, 8) == 0 ? draw(&c->random, n) : n;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t header[WIRE_HEADER_BYTES];
        sent[i] = &docs[draw(&c->random, DOCS)];
        wire_put_u32(header, sent[i]->n_bytes);
        size_t part = i == leave_at ? draw(&c->random, sent[i]->n_bytes) : sent[i]->n_bytes;
        if (!send_cut(fd, header, sizeof header, &c->random) ||
            !send_cut(fd, sent[i]->bytes, part, &c->random)) {
            snprintf(c->failure, sizeof c->failure, "the connection broke in frame %u", i);
            return false;
        }
        if (i == leave_at) {
            c->cancelled++;
            return false;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[WIRE_REPLY_BYTES];
        struct wire_reply reply;
        const struct wire_reply *want = &sent[i]->want;
        if (recv(fd, bytes, sizeof bytes, MSG_WAITALL) != (ssize_t)sizeof bytes ||
            wire_decode_reply(bytes, &reply) != 0 || reply.status != WIRE_OK ||
            reply.n_tokens != want->n_tokens || reply.issues_len != want->issues_len) {
            snprintf(c->failure, sizeof c->failure, "reply %u of %u is not that of its document", i,
                     n);
            return false;
        }
        c->answered++;
    }
    return true;
}

static void *prop_main(void *arg)
{
    struct prop_client *c = arg;
    int fd = -1;
    for (unsigned i = 0; i < c->rounds && c->failure[0] == '\0'; i++) {
        if (fd < 0)
            fd = daemon_connect(c->d);
        if (!prop_round(c, fd)) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

Test(ipc_propcheck, replies_are_those_of_their_documents, .timeout = 200)
{
    static const char *const args[] = {"--admin",        "127.0.0.1:0", "--hedge-ms", "1",
                                       "--hedge-budget", "100",         NULL};
    static const char *const env[] = {"L0_FAULT_MS=5", "L0_FAULT_RATE_PPM=20000", NULL};
    const char *given = getenv("L0_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : traffic_now_ns() % 1000000 + 1;
    uint64_t random = seed;
    struct prop_client clients[CLIENTS];
    struct daemon d;
    printf("ipc_propcheck: seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    for (uint32_t i = 0; i < DOCS; i++)
        traffic_doc_make(&docs[i], draw_size(&random), i + (uint32_t)seed);
    daemon_start(&d, args, env);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct prop_client){
            .d = &d, .random = seed + i + 1, .rounds = traffic_scaled(&d, ROUNDS)};
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, prop_main, &clients[i]), 0);
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        cr_expect_str_empty(clients[i].failure, "seed %llu: %s", (unsigned long long)seed,
                            clients[i].failure);
        cr_expect_gt(clients[i].answered, 0);
    }
    traffic_expect_settled(&d, 0);
    daemon_expect_well(&d);
    daemon_stop(&d);
    for (uint32_t i = 0; i < DOCS; i++)
        traffic_doc_free(&docs[i]);
}
