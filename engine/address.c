#include "engine/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { ADDRESS_PORT_DIGITS_MAX = 5 };

static int parse_port(const char *text, in_port_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > ADDRESS_PORT_DIGITS_MAX || text[digits] != '\0')
        return -EINVAL;
    uint32_t port = 0;
    for (const char *p = text; *p != '\0'; p++)
        port = port * 10 + (uint32_t)(*p - '0');
    if (port > UINT16_MAX)
        return -EINVAL;
    *out = htons((uint16_t)port);
    return 0;
}

int address_parse(const char *text, struct sockaddr_storage *out, socklen_t *out_bytes)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return -EINVAL;
    const char *begin = text;
    size_t host_bytes = (size_t)(colon - text);
    bool v6 = host_bytes >= 2 && text[0] == '[' && colon[-1] == ']';
    if (v6) {
        begin++;
        host_bytes -= 2;
    }
    if (host_bytes >= sizeof host)
        return -EINVAL;
    memcpy(host, begin, host_bytes);
    host[host_bytes] = '\0';

    memset(out, 0, sizeof *out);
    if (v6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        *out_bytes = sizeof *in6;
        if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
            return -EINVAL;
        return parse_port(colon + 1, &in6->sin6_port);
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    *out_bytes = sizeof *in;
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
        return -EINVAL;
    return parse_port(colon + 1, &in->sin_port);
}

bool address_is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (address->ss_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in6) ||
               (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == IN_LOOPBACKNET);
    }
    return false;
}

uint16_t address_port(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    assert(address->ss_family == AF_INET);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}
