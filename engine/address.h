/* Socket addresses as text: "127.0.0.1:9109" or "[::1]:9109", numeric only (a name would need a
 * resolver, and could mean another host tomorrow). */
#ifndef L0_ENGINE_ADDRESS_H
#define L0_ENGINE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* 0, or -EINVAL with *out undefined. Port 0 is allowed: the kernel picks one. */
int address_parse(const char *text, struct sockaddr_storage *out, socklen_t *out_bytes);

/* 127.0.0.0/8, ::1, and the former mapped into IPv6. */
bool address_is_loopback(const struct sockaddr_storage *address);

/* Of an IPv4 or IPv6 address, host byte order. */
uint16_t address_port(const struct sockaddr_storage *address);

#endif
