/* A control that must fail: shows that the fuzzing set-up finds a wrapped length, which neither the
 * address sanitizer nor the undefined-behaviour sanitizer alone reports. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    uint32_t length;
    if (bytes < sizeof length)
        return 0;
    memcpy(&length, data, sizeof length);
    volatile uint32_t whole_bytes = length + (uint32_t)sizeof length;
    (void)whole_bytes;
    return 0;
}
