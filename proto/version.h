#ifndef L0_PROTO_VERSION_H
#define L0_PROTO_VERSION_H

/* The release that every program of this repository prints. */
#define L0_VERSION "0.1.0"

#endif
