/* l0-bench-sink: what copying the bytes through the socket costs by itself. */
#include "bench/server.h"
#include "bench/sink.h"
#include "proto/version.h"

const char *argp_program_version = "l0-bench-sink " L0_VERSION;

int main(int argc, char **argv)
{
    return server_main(argc, argv,
                       "A server that receives requests and answers without lexing: the cost of "
                       "copying alone, for make bench.",
                       sink_serve);
}
