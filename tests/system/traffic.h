/* What the system tests send and what must come of it: documents with the replies they are due,
 * scripts of frames, a client that runs beside a fault, and the books that must balance after it.
 *
 * Only what says so may be called from a thread other than the test's own: the others fail the test
 * by a Criterion assertion. */
#ifndef L0_TESTS_SYSTEM_TRAFFIC_H
#define L0_TESTS_SYSTEM_TRAFFIC_H

#include "proto/wire.h"
#include "tests/system/daemon.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- documents and scripts ----------------------------------------------------------------- */

/* A document and the reply of a daemon that is well, from the lexer in this process. */
struct traffic_doc {
    uint8_t *bytes; /* owned */
    uint32_t n_bytes;
    struct wire_reply want;
};

/* n_bytes > 0 of text full of LaTeX, the same for the same seed. */
void traffic_doc_make(struct traffic_doc *doc, uint32_t n_bytes, uint32_t seed);
/* n_bytes letters: one token more for each letter more. */
void traffic_letters_make(struct traffic_doc *doc, uint32_t n_bytes);
void traffic_doc_free(struct traffic_doc *doc);

/* Any thread. One round trip; NULL: the reply is the right one, else what was wrong. */
const char *traffic_doc_request(int fd, const struct traffic_doc *doc);
void traffic_expect_answer(int fd, const struct traffic_doc *doc);

/* Bytes to send on one connection, and the replies that must come back, in order and no others. */
struct traffic_script {
    uint8_t *bytes, *want; /* owned */
    size_t n_bytes, want_bytes;
    size_t cap_bytes, want_cap_bytes; /* 0: the memory is another's, nothing can be added */
};

void traffic_script_add(struct traffic_script *script, const struct traffic_doc *doc);
/* As above for a new document that is not kept. */
void traffic_script_add_text(struct traffic_script *script, uint32_t n_bytes, uint32_t seed);
void traffic_script_free(struct traffic_script *script);

/* Sends chunk_bytes at a time (0: as much as the socket takes) with a pause behind each, reads
 * meanwhile, and expects exactly the script's replies. */
void traffic_script_run(int fd, const struct traffic_script *script, size_t chunk_bytes,
                        unsigned pause_us);

/* ---- connections --------------------------------------------------------------------------- */

/* Over TCP or over the Unix socket, with a 20 s timeout. */
int traffic_connect(const struct daemon *d, bool tcp);
/* A header that announces body_bytes, and the first n of them (of text). */
void traffic_send_partial(int fd, uint32_t body_bytes, const void *body, size_t n);
/* The next reply has this status, origin error and no counts, and the stream ends after it. */
void traffic_expect_refusal(int fd, enum wire_status status);
/* RST instead of FIN (TCP). */
void traffic_reset(int fd);
/* This process may have as many descriptors as the hard limit allows. */
void traffic_raise_nofile(void);
/* The first n processors this process may use, as --cores takes them; false: there are fewer. */
bool traffic_cores(char *text, size_t text_bytes, int n);
void traffic_sleep_ms(unsigned ms);
uint64_t traffic_now_ns(void);

/* ---- the client that runs throughout -------------------------------------------------------- */

/* One connection, one request after the other, each answered rightly and once, from start to stop.
 */
struct traffic_control {
    int fd;
    struct traffic_doc doc;
    pthread_t thread;
    atomic_bool stop;
    uint64_t answered;   /* the thread's until stop */
    const char *failure; /* likewise; NULL: none */
};

void traffic_control_start(struct traffic_control *control, const struct daemon *d);
/* Expects that nothing went wrong, and closes its connection. */
void traffic_control_stop(struct traffic_control *control);

/* ---- the books ------------------------------------------------------------------------------ */

/* One page of metrics says, within 30 s: so many connections, no arena memory in use, and every
 * accepted request either answered or aborted. */
void traffic_expect_settled(const struct daemon *d, uint64_t connections);

/* What must be the same before and after a fault. */
struct traffic_baseline {
    unsigned fds;
    uint64_t rss_bytes;
};

/* After a warm-up of its own. No connection may be open. */
void traffic_baseline_take(struct traffic_baseline *base, const struct daemon *d);
/* traffic_expect_settled without connections, the same descriptors, at most grow_bytes more
 * memory (not looked at under a sanitizer, which keeps what was freed), and the daemon is well. */
void traffic_baseline_expect(const struct traffic_baseline *base, const struct daemon *d,
                             uint64_t grow_bytes);

/* n, or L0_TEST_SCALE percent of it (by default 10 when the daemon runs under a sanitizer). */
unsigned traffic_scaled(const struct daemon *d, unsigned n);

#endif
