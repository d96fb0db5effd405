#include "tests/system/traffic.h"

#include "lexer/lexer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TRAFFIC_WAIT_MS = 30000, TRAFFIC_CONTROL_BYTES = 3000 };

uint64_t traffic_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void traffic_sleep_ms(unsigned ms)
{
    (void)poll(NULL, 0, (int)ms);
}

bool traffic_cores(char *text, size_t text_bytes, int n)
{
    size_t used = 0;
    cpu_set_t allowed;
    cr_assert_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE && n > 0; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed))
            continue;
        used += (size_t)snprintf(text + used, text_bytes - used, used > 0 ? ",%d" : "%d", cpu);
        cr_assert_lt(used, text_bytes);
        n--;
    }
    return n == 0;
}

/* ---- documents ----------------------------------------------------------------------------- */

static void traffic_fill(uint8_t *bytes, uint32_t n_bytes, uint32_t seed)
{
    static const char *const pieces[] = {
        "word ",     "\\alpha ",  "$x_1^2$", "% a comment\n", "{a & b}",    "\n\n",
        "\xc3\xa9 ", "\\section", "#1",      "^^41",          "  \t\n",     "\\\\",
        "~",         "}",         "\x7f",    "\xe4\xb8\xad",  "plain text", "12.5",
    };
    uint32_t random = seed * 2654435761U + 1;
    for (uint32_t at = 0; at < n_bytes;) {
        random = random * 1664525U + 1013904223U;
        const char *piece = pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)];
        for (; *piece != '\0' && at < n_bytes; piece++)
            bytes[at++] = (uint8_t)*piece;
    }
}

static void traffic_doc_new(struct traffic_doc *doc, uint32_t n_bytes)
{
    *doc = (struct traffic_doc){.bytes = malloc(n_bytes), .n_bytes = n_bytes};
    cr_assert_not_null(doc->bytes);
}

static void traffic_doc_lex(struct traffic_doc *doc)
{
    const struct lexer_options options = {.regime = LEXER_LUALATEX};
    struct lexer_counts counts;
    cr_assert_eq(lexer_init(NULL), 0);
    cr_assert_eq(lexer_run(&options, doc->bytes, doc->n_bytes, NULL, &counts), 0);
    doc->want = (struct wire_reply){.status = WIRE_OK,
                                    .n_tokens = counts.n_tokens,
                                    .issues_len = counts.n_issues,
                                    .origin = WIRE_ORIGIN_PRIMARY};
}

void traffic_doc_make(struct traffic_doc *doc, uint32_t n_bytes, uint32_t seed)
{
    traffic_doc_new(doc, n_bytes);
    traffic_fill(doc->bytes, n_bytes, seed);
    traffic_doc_lex(doc);
}

void traffic_letters_make(struct traffic_doc *doc, uint32_t n_bytes)
{
    traffic_doc_new(doc, n_bytes);
    memset(doc->bytes, 'a', n_bytes);
    traffic_doc_lex(doc);
}

void traffic_doc_free(struct traffic_doc *doc)
{
    free(doc->bytes);
    *doc = (struct traffic_doc){0};
}

const char *traffic_doc_request(int fd, const struct traffic_doc *doc)
{
    struct wire_reply got;
    const struct wire_reply *want = &doc->want;
    int rc = l0_request(fd, doc->bytes, doc->n_bytes, &got);
    if (rc != 0)
        return strerrordesc_np(-rc);
    if (got.status != WIRE_OK)
        return wire_status_name(got.status);
    /* Either shard of the pair may have answered: a machine under test stalls at times. */
    return got.n_tokens == want->n_tokens && got.issues_len == want->issues_len &&
                   (got.origin == WIRE_ORIGIN_PRIMARY || got.origin == WIRE_ORIGIN_HEDGE)
               ? NULL
               : "wrong counts";
}

void traffic_expect_answer(int fd, const struct traffic_doc *doc)
{
    const char *error = traffic_doc_request(fd, doc);
    cr_assert_null(error, "%s", error);
}

/* ---- scripts ------------------------------------------------------------------------------- */

/* Room for at least need_bytes; grows by doubling, as a sanitizer copies at every realloc. */
static void traffic_reserve(uint8_t **bytes, size_t *cap_bytes, size_t need_bytes)
{
    if (need_bytes <= *cap_bytes)
        return;
    *cap_bytes = 2 * need_bytes;
    *bytes = realloc(*bytes, *cap_bytes);
    cr_assert_not_null(*bytes);
}

void traffic_script_add(struct traffic_script *s, const struct traffic_doc *doc)
{
    size_t frame_bytes = WIRE_HEADER_BYTES + (size_t)doc->n_bytes;
    traffic_reserve(&s->bytes, &s->cap_bytes, s->n_bytes + frame_bytes);
    traffic_reserve(&s->want, &s->want_cap_bytes, s->want_bytes + WIRE_REPLY_BYTES);
    wire_put_u32(s->bytes + s->n_bytes, doc->n_bytes);
    memcpy(s->bytes + s->n_bytes + WIRE_HEADER_BYTES, doc->bytes, doc->n_bytes);
    wire_encode_reply(s->want + s->want_bytes, &doc->want);
    s->n_bytes += frame_bytes;
    s->want_bytes += WIRE_REPLY_BYTES;
}

void traffic_script_add_text(struct traffic_script *s, uint32_t n_bytes, uint32_t seed)
{
    struct traffic_doc doc;
    traffic_doc_make(&doc, n_bytes, seed);
    traffic_script_add(s, &doc);
    traffic_doc_free(&doc);
}

void traffic_script_free(struct traffic_script *s)
{
    free(s->bytes);
    free(s->want);
    *s = (struct traffic_script){0};
}

static size_t traffic_send_some(int fd, const uint8_t *bytes, size_t n)
{
    ssize_t sent = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
        return 0;
    cr_assert_gt(sent, 0, "send: %s", strerror(errno));
    return (size_t)sent;
}

void traffic_script_run(int fd, const struct traffic_script *s, size_t chunk_bytes,
                        unsigned pause_us)
{
    uint8_t *got = malloc(s->want_bytes + 1); /* room for one byte too many */
    size_t sent = 0, had = 0;
    while (sent < s->n_bytes || had < s->want_bytes) {
        size_t left = s->n_bytes - sent;
        struct pollfd ready = {.fd = fd, .events = (short)(left > 0 ? POLLIN | POLLOUT : POLLIN)};
        cr_assert_eq(poll(&ready, 1, TRAFFIC_WAIT_MS), 1, "%zu of %zu sent, %zu of %zu received",
                     sent, s->n_bytes, had, s->want_bytes);
        if ((ready.revents & POLLOUT) != 0 && left > 0) {
            size_t n = chunk_bytes != 0 && chunk_bytes < left ? chunk_bytes : left;
            sent += traffic_send_some(fd, s->bytes + sent, n);
            if (pause_us != 0)
                (void)usleep(pause_us);
        }
        if ((ready.revents & ~POLLOUT) != 0) {
            ssize_t n = recv(fd, got + had, s->want_bytes + 1 - had, MSG_DONTWAIT);
            cr_assert_gt(n, 0, "recv: %s", n == 0 ? "closed" : strerror(errno));
            had += (size_t)n;
            cr_assert_leq(had, s->want_bytes, "a reply too many");
        }
    }
    for (size_t at = 0; at < had; at += WIRE_REPLY_BYTES) {
        /* Either shard of the pair may have answered. */
        if (got[at + WIRE_REPLY_BYTES - 1] == WIRE_ORIGIN_HEDGE)
            got[at + WIRE_REPLY_BYTES - 1] = WIRE_ORIGIN_PRIMARY;
        cr_assert_eq(memcmp(got + at, s->want + at, WIRE_REPLY_BYTES), 0, "reply %zu of %zu",
                     at / WIRE_REPLY_BYTES, had / WIRE_REPLY_BYTES);
    }
    free(got);
}

/* ---- connections --------------------------------------------------------------------------- */

int traffic_connect(const struct daemon *d, bool tcp)
{
    if (!tcp)
        return daemon_connect(d);
    int fd = l0_connect(d->tcp, 20000);
    cr_assert_geq(fd, 0, "connect %s: %s", d->tcp, strerror(-fd));
    return fd;
}

void traffic_send_partial(int fd, uint32_t body_bytes, const void *body, size_t n)
{
    uint8_t header[WIRE_HEADER_BYTES];
    wire_put_u32(header, body_bytes);
    cr_assert(daemon_write(fd, header, sizeof header));
    cr_assert(daemon_write(fd, body, n));
}

void traffic_expect_refusal(int fd, enum wire_status status)
{
    struct wire_reply reply;
    int rc = l0_recv(fd, &reply);
    cr_assert_eq(rc, 0, "expected %s: %s", wire_status_name(status), strerror(-rc));
    cr_assert_eq(reply.status, status, "%s", wire_status_name(reply.status));
    cr_assert_eq(reply.origin, WIRE_ORIGIN_ERROR);
    cr_assert_eq(reply.n_tokens, 0);
    cr_assert_eq(reply.issues_len, 0);
    cr_assert_eq(l0_recv(fd, &reply), -ENODATA, "the stream goes on");
}

void traffic_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
}

void traffic_raise_nofile(void)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ---- the client that runs throughout -------------------------------------------------------- */

static void *traffic_control_main(void *arg)
{
    struct traffic_control *c = arg;
    while (c->failure == NULL && !atomic_load(&c->stop)) {
        c->failure = traffic_doc_request(c->fd, &c->doc);
        c->answered += c->failure == NULL;
        traffic_sleep_ms(1);
    }
    return NULL;
}

void traffic_control_start(struct traffic_control *c, const struct daemon *d)
{
    *c = (struct traffic_control){.fd = daemon_connect(d)};
    traffic_doc_make(&c->doc, TRAFFIC_CONTROL_BYTES, 7);
    cr_assert_eq(pthread_create(&c->thread, NULL, traffic_control_main, c), 0);
}

void traffic_control_stop(struct traffic_control *c)
{
    atomic_store(&c->stop, true);
    (void)pthread_join(c->thread, NULL);
    (void)close(c->fd);
    traffic_doc_free(&c->doc);
    cr_assert_null(c->failure, "the control client, after %llu requests: %s",
                   (unsigned long long)c->answered, c->failure);
    cr_assert_gt(c->answered, 0);
}

/* ---- the books ------------------------------------------------------------------------------ */

void traffic_expect_settled(const struct daemon *d, uint64_t connections)
{
    uint64_t until_ns = traffic_now_ns() + TRAFFIC_WAIT_MS * UINT64_C(1000000);
    unsigned long long open, used, accepted, replied, aborted;
    for (;;) {
        char *page = daemon_scrape(d);
        open = daemon_page_sum(page, "l0_connections");
        used = daemon_page_sum(page, "l0_arena_used_bytes");
        accepted = daemon_page_sum(page, "l0_requests_accepted_total");
        replied = daemon_page_sum(page, "l0_requests_total");
        aborted = daemon_page_sum(page, "l0_requests_aborted_total");
        free(page);
        if (open == connections && used == 0 && accepted == replied + aborted)
            return;
        cr_assert_lt(traffic_now_ns(), until_ns,
                     "%llu connections (not %llu), %llu arena bytes, %llu accepted, %llu replied, "
                     "%llu aborted",
                     open, (unsigned long long)connections, used, accepted, replied, aborted);
        traffic_sleep_ms(10);
    }
}

void traffic_baseline_take(struct traffic_baseline *base, const struct daemon *d)
{
    for (int i = 0; i < 10; i++)
        daemon_expect_well(d);
    traffic_expect_settled(d, 0);
    traffic_sleep_ms(50); /* the admin server closes the connection of the last scrape */
    base->fds = daemon_fds(d);
    base->rss_bytes = daemon_rss_bytes(d);
}

/* A sanitizer's shadow takes terabytes of address space. */
static bool traffic_sanitized(const struct daemon *d)
{
    char path[64];
    unsigned long long pages = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)d->pid);
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f);
    int n = fscanf(f, "%llu", &pages);
    (void)fclose(f);
    cr_assert_eq(n, 1);
    return pages >> 28 != 0;
}

void traffic_baseline_expect(const struct traffic_baseline *base, const struct daemon *d,
                             uint64_t grow_bytes)
{
    uint64_t until_ns = traffic_now_ns() + TRAFFIC_WAIT_MS * UINT64_C(1000000);
    traffic_expect_settled(d, 0);
    while (daemon_fds(d) != base->fds && traffic_now_ns() < until_ns)
        traffic_sleep_ms(10);
    cr_assert_eq(daemon_fds(d), base->fds);
    uint64_t rss_bytes = daemon_rss_bytes(d);
    cr_assert(traffic_sanitized(d) || rss_bytes <= base->rss_bytes + grow_bytes,
              "memory grew by %llu bytes", (unsigned long long)(rss_bytes - base->rss_bytes));
    daemon_expect_well(d);
}

unsigned traffic_scaled(const struct daemon *d, unsigned n)
{
    const char *scale = getenv("L0_TEST_SCALE");
    unsigned percent = traffic_sanitized(d) ? 10 : 100;
    if (scale != NULL)
        percent = (unsigned)strtoul(scale, NULL, 10);
    return n * percent / 100 > 0 ? n * percent / 100 : 1;
}
