/* Takes a system call away from this process and from what it starts, as a container's seccomp
 * filter or an old kernel would. */
#ifndef L0_TESTS_SYSTEM_DENY_H
#define L0_TESTS_SYSTEM_DENY_H

/* From now on the call of that number does nothing but fail with error (0: it pretends success)
 * here and in every process started from here. Skips the test where filters cannot be installed. */
void deny_call(unsigned number, unsigned error);

#endif
