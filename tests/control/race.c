/* A control that must fail: shows that the thread sanitizer sees a data race. Not a Criterion
 * program, because those do not run under the thread sanitizer. */
#include <pthread.h>
#include <stddef.h>

static int shared_count;

static void *count(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        shared_count++;
    return NULL;
}

int main(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, count, NULL) != 0)
        return 2;
    count(NULL);
    return pthread_join(thread, NULL);
}
