#include "bench/service_metrics.h"

#include "gate/tail_file.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS     1000L
#define BODY_BYTES_MAX (1 << 20)

/* Receives the body; returning another number than it was given makes libcurl give up. */
static size_t take(char *bytes, size_t size, size_t n, void *stream)
{
    FILE *body = stream;
    return ftell(body) + (long)(size * n) > BODY_BYTES_MAX ? 0 : fwrite(bytes, size, n, body);
}

/* One request; the body goes to stream. 0, -EHOSTUNREACH or -EPROTO. */
static int ask(const char *address, const char *path, bool post, FILE *body)
{
    CURL *curl = curl_easy_init();
    char *url = NULL;
    int rc = -EHOSTUNREACH;
    if (curl == NULL || asprintf(&url, "http://%s%s", address, path) < 0) {
        url = NULL;
        goto done;
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (post)
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, "");
    if (curl_easy_perform(curl) == CURLE_OK) {
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        rc = status >= 200 && status < 300 ? 0 : -EPROTO;
    }
done:
    free(url);
    if (curl != NULL)
        curl_easy_cleanup(curl);
    return rc;
}

/* As ask(), with the body as text (malloc) in *text; NULL when there is none. */
static int ask_text(const char *address, const char *path, bool post, char **text)
{
    size_t bytes = 0;
    *text = NULL;
    FILE *body = open_memstream(text, &bytes);
    if (body == NULL)
        return -ENOMEM;
    int rc = ask(address, path, post, body);
    fclose(body);
    return rc;
}

static char *get(const char *address, const char *path)
{
    char *text;
    if (ask_text(address, path, false, &text) == 0)
        return text;
    free(text);
    return NULL;
}

char *service_metrics_text(const char *address)
{
    return get(address, "/metrics");
}

char *service_tail_text(const char *address)
{
    char *text = get(address, "/tail.csv");
    if (text != NULL && strncmp(text, TAIL_FILE_HEADER, sizeof TAIL_FILE_HEADER - 1) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

struct service_metrics service_metrics_read(const char *address)
{
    struct service_metrics m = {0};
    char *text = service_metrics_text(address);
    if (text != NULL)
        m = service_metrics_parse(text);
    free(text);
    return m;
}

int service_tail_reset(const char *address)
{
    char *text;
    int rc = ask_text(address, "/tail/reset", true, &text);
    free(text);
    return rc;
}
