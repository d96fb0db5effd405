/* Takes io_uring away from this process and from what it starts, as a container's seccomp filter or
 * an old kernel would. */
#ifndef L0_TESTS_SYSTEM_DENY_URING_H
#define L0_TESTS_SYSTEM_DENY_URING_H

/* From now on io_uring_setup fails with error here and in every process started from here. Skips
 * the test where filters cannot be installed. */
void deny_uring(int error);

#endif
