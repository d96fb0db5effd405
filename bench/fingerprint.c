#include "bench/fingerprint.h"

#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TEXT_BYTES 1024

static const char unknown[] = "unknown";

static void set_unknown(char text[TEXT_BYTES])
{
    memcpy(text, unknown, sizeof unknown);
}

/* Printable ASCII only, without blanks at the end. */
static void clean(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = ' ';
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
        text[n - 1] = '\0';
}

/* The file's first line, cleaned; "unknown" without one. */
static void first_line(const char *path, char text[TEXT_BYTES])
{
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(text, TEXT_BYTES, file) == NULL)
        set_unknown(text);
    if (file != NULL)
        fclose(file);
    clean(text);
}

/* The first value of a key in /proc/cpuinfo. */
static void cpuinfo(const char *key, char text[TEXT_BYTES])
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[4096];
    size_t length = strlen(key);
    set_unknown(text);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, key, length) == 0 && colon != NULL && colon[1] == ' ') {
            snprintf(text, TEXT_BYTES, "%.*s", TEXT_BYTES - 1, colon + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
    clean(text);
}

/* {"spectre_v2": "Mitigation: ...", ...} */
static json_t *mitigations(void)
{
    glob_t found = {0};
    json_t *json = json_object();
    if (glob("/sys/devices/system/cpu/vulnerabilities/*", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            char text[TEXT_BYTES];
            first_line(found.gl_pathv[i], text);
            json_object_set_new(json, strrchr(found.gl_pathv[i], '/') + 1, json_string(text));
        }
    }
    globfree(&found);
    return json;
}

json_t *fingerprint_machine(void)
{
    struct utsname about = {0};
    char cpu[TEXT_BYTES], microcode[TEXT_BYTES], command_line[TEXT_BYTES], governor[TEXT_BYTES];
    cpuinfo("model name", cpu);
    cpuinfo("microcode", microcode);
    first_line("/proc/cmdline", command_line);
    first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor);
    uname(&about);
    long long memory = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / (1 << 20);
    return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:o}", "cpu", cpu, "microcode",
                     microcode, "processors", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
                     "memory_mb", (json_int_t)memory, "architecture", about.machine, "kernel",
                     about.release, "kernel_version", about.version, "command_line", command_line,
                     "governor", governor, "mitigations", mitigations());
}

/* Looks for the build id's note in the first object, which is the program itself. */
static int find_note(struct dl_phdr_info *object, size_t size, void *argument)
{
    char *hex = argument;
    (void)size;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type != PT_NOTE)
            continue;
        const char *at = (const char *)object->dlpi_addr + part->p_vaddr;
        const char *end = at + part->p_memsz;
        while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
            ElfW(Nhdr) note;
            memcpy(&note, at, sizeof note);
            const char *id = at + sizeof note + ((note.n_namesz + 3) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= 32) {
                for (unsigned b = 0; b < note.n_descsz; b++)
                    sprintf(hex + 2 * (size_t)b, "%02x", (unsigned char)id[b]);
                return 1;
            }
            at = id + ((note.n_descsz + 3) & ~3u);
        }
    }
    return 1;
}

const char *fingerprint_build_id(void)
{
    static char hex[65];
    if (hex[0] == '\0') {
        memcpy(hex, unknown, sizeof unknown);
        dl_iterate_phdr(find_note, hex);
    }
    return hex;
}
