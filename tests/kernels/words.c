#include "tests/kernels/words.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/test_lexer_support.h"

static const char *const built_in[] = {
    "\\begin{a}",
    "\\end{a}",
    "\\begin{bb}",
    "\\end{bb}",
    "\\begin {a}",
    "\\beginx",
    "\\end",
    "\\emph{",
    "}",
    "{",
    "$",
    "$$",
    "%",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\\\\",
    "\\",
    "\\ ",
    "\\%",
    " ",
    "  ",
    "\t",
    "word",
    "x",
    "12",
    ",",
    "^",
    "^^",
    "^^41",
    "_",
    "&",
    "#",
    "~",
    "\\foo",
    "\xC3\xA9",
    "\xE2\x80\x94",
    "\xE4\xB8\xAD",
    "\xF0\x9D\x92\x9C",
    "\xEF\xBB\xBF",
    "\x7F",
    "\xFF",
    "^^^^",
    "\\fo@",
    "\\makeatletter",
    "\\makeatother ",
    "\\a@b",
    "\\catcode`\\@=11 ",
    "\\catcode`\\%=12\\relax",
    "{\\catcode`\\^=12 ",
    "\\global\\catcode`@=12 ",
    "\\catcode`\\^^M=13 ",
    "\\catcode`\\ =13 ",
    "\\ExplSyntaxOn",
    "\\ExplSyntaxOff ",
    "\\ProvidesExplPackage{}{}{}{}",
    "\\begingroup",
    "\\endgroup",
    "\\bgroup",
    "\\egroup",
    "\\verb|",
    "\\verb*+ ",
    "|",
    "\\lstinline[x]{",
    "\\mintinline{c}{",
    "\\begin{verbatim}",
    "\\end{verbatim}",
    "\\begin{listing}",
    "\\end{listing}",
    "\\endinput",
    "\\fi",
    "\\def\\x#1{",
    "\\newcommand{\\x}[1]{",
    "\\let\\x",
    "\\\t",
    "\xE2\x80\xAE\n",
    "\xE2\x80\x8B",
    "\xC2\xA0",
    "a long run of plain words that fills most of a block of text ",
    /* Scripts that vector code tells in bulk. */
    "\u00C9t\u00E9, \u00AB\u0153uvre\u00BB\u00A0; ",
    "\u0441\u043B\u043E\u0432\u043E \u03BB\u03CC\u03B3\u03BF\u03C2 ",
    "\u3053\u3068\u3070\u3001\u30B3\u30C8\u30D0\u3002\uFF0C\u6F22\u5B57\uD55C\uAE00",
    "\u201C\u6F22\u5B57\u201D\u2014\u30C8\u3002\u0441\u043B\u043E\u0432\u043E \u0438, ",
};
#define N_BUILT_IN (uint32_t)(sizeof built_in / sizeof built_in[0])

/* Changes of category codes, to others and back, and what reads otherwise behind them. */
static const char *const changes[] = {
    "\\ExplSyntaxOn ",
    "\\ExplSyntaxOff ",
    "\\makeatletter ",
    "\\catcode`\\|=0 ",
    "\\catcode`\\|=12 ",
    "\\catcode`\\|=14 ",
    "\\catcode`\\ =9 ",
    "\\catcode`\\ =10 ",
    "\\catcode32=10\\relax ",
    "\\catcode`\\e=12 ",
    "\\catcode`\\e=11 ",
    "\\catcode`\\r=13 ",
    "\\catcode`\\r=11 ",
    "\\catcode9=9 ",
    "\\catcode9=10 ",
    "\\catcode9=12 ",
    "\\catcode0=12 ",
    "\\catcode1=14 ",
    "\\catcode`\\!=9 ",
    "\\catcode`\\!=9\\relax",
    "\\catcode`\\!=12 ",
    "\\catcode`\\~=10 ",
    "\\catcode`\\~=13 ",
    "\\catcode`\\~=9 ",
    "\\catcode`\\^=12 ",
    "\\catcode`\\^=7 ",
    "\\catcode`\\^=9 ",
    "\\catcode`\\^=11 ",
    "\\catcode`\\c=12 ",
    "\\catcode`\\c=9 ",
    "\\endc{a}",
    "\\catcode`\\s=9 ",
    "\\catcode`\\#=9 ",
    "\\ends{a}",
    "\\end#{a}",
    "\\catcode`\\d=12 ",
    "\\catcode`\\x=9 ",
    "\\catcode`\\x=1 ",
    "\\catcode`\\x=11 ",
    "\\catcode`\\:=11 ",
    "\\catcode`\\_=11 ",
    "\\catcode`\\_=8 ",
    "\\catcode`\\+=15 ",
    "\\catcode`\\+=5 ",
    "\\catcode`\\+=3 ",
    "\\catcode`\\$=12 ",
    "\\catcode`\\$=3 ",
    "\\catcode`\\*=14 ",
    "\\catcode`\\%=12 ",
    "\\catcode`\\%=9 ",
    "\\catcode`\\%=14 ",
    "\\catcode`\\{=12\\relax ",
    "\\catcode`\\<=1 ",
    "\\catcode`\\>=2 ",
    "\\catcode`\\[=1 ",
    "\\catcode`\\^^M=9 ",
    "\\catcode`\\^^M=10 ",
    "\\catcode13=5 ",
    "\\catcode`\\^^J=9 ",
    "\\catcode`\\#=12 ",
    "\\catcode`\\&=13 ",
    "\\catcode255=12 ",
    "\\catcode233=11 ",
    "\\catcode`\\\\=12 ",
    "\\global\\catcode`\\!=9 ",
    "{\\catcode`\\!=9 ",
    "\\begingroup\\catcode`\\!=9 ",
    "|foo ",
    "|begin{a}",
    "|ExplSyntaxOff ",
    "\\foo_bar:Nn ",
    "~ ~",
    "!!",
    " ! ",
    "\n ! \n",
    "\\~\n",
    "\\!\n",
    "\\ !\n",
    "\\\t ! \n",
    "\\\t \n",
    "\\ \t\n",
    "x!  !x",
    "a !\t !b",
    "\t\n",
};
#define N_CHANGES (uint32_t)(sizeof changes / sizeof changes[0])

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The bytes of a word whose text begins behind the quote; -EINVAL if it has no end. */
static int parse_word(struct word *word, const char *text)
{
    word->bytes = lexed_alloc(strlen(text), 1);
    word->n_bytes = 0;
    while (*text && *text != '"') {
        char byte = *text++;
        if (byte == '\\' && text[0] == 'x' && isxdigit((unsigned char)text[1]) &&
            isxdigit((unsigned char)text[2])) {
            byte = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
            text += 3;
        } else if (byte == '\\' && *text) {
            byte = *text++;
        }
        word->bytes[word->n_bytes++] = (uint8_t)byte;
    }
    return *text == '"' && word->n_bytes > 0 ? 0 : -EINVAL;
}

int words_read(struct words *words, const char *path)
{
    *words = (struct words){0};
    FILE *const file = fopen(path, "r");
    if (!file)
        return -errno;
    char *line = NULL;
    size_t capacity = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &capacity, file) > 0) {
        if (line[0] == '\n' || line[0] == '#')
            continue;
        const char *const quote = strchr(line, '"');
        struct word *const of = realloc(words->of, (words->n + 1) * sizeof *of);
        if (!of)
            abort();
        words->of = of;
        of[words->n] = (struct word){0};
        rc = quote ? parse_word(&of[words->n], quote + 1) : -EINVAL;
        words->n++;
    }
    free(line);
    fclose(file);
    return rc;
}

void words_free(struct words *words)
{
    for (uint32_t i = 0; i < words->n; i++)
        free(words->of[i].bytes);
    free(words->of);
    *words = (struct words){0};
}

struct text {
    uint8_t *bytes;
    uint32_t n, n_max;
};

static bool append(struct text *text, const void *bytes, uint32_t n)
{
    if (n > text->n_max - text->n)
        return false;
    memcpy(text->bytes + text->n, bytes, n);
    text->n += n;
    return true;
}

static bool append_word(struct text *text, const struct words *more, uint64_t *seed)
{
    const uint32_t i = draw(seed, N_BUILT_IN + more->n);
    if (i < N_BUILT_IN)
        return append(text, built_in[i], (uint32_t)strlen(built_in[i]));
    return append(text, more->of[i - N_BUILT_IN].bytes, more->of[i - N_BUILT_IN].n_bytes);
}

static bool append_changes(struct text *text, uint32_t n, uint64_t *seed)
{
    bool fits = true;
    for (uint32_t i = 0; i < n && fits; i++) {
        const char *const change = changes[draw(seed, N_CHANGES)];
        fits = append(text, change, (uint32_t)strlen(change));
    }
    return fits;
}

static bool append_repeated(struct text *text, const struct words *more, uint64_t *seed)
{
    const uint32_t begin = text->n, times = draw(seed, 80);
    if (!append_word(text, more, seed))
        return false;
    const uint32_t n = text->n - begin;
    bool fits = true;
    for (uint32_t i = 0; i < times && fits; i++)
        fits = append(text, text->bytes + begin, n);
    return fits;
}

static bool append_slice(struct text *text, const struct word *sample, uint64_t *seed)
{
    if (sample->n_bytes == 0)
        return true;
    const uint32_t begin = draw(seed, sample->n_bytes);
    const uint32_t n_max = 1 + draw(seed, 300), left = sample->n_bytes - begin;
    return append(text, sample->bytes + begin, n_max < left ? n_max : left);
}

uint32_t words_text(uint8_t *bytes, uint32_t n_max, const struct words *more, uint64_t *seed)
{
    struct text text = {.bytes = bytes, .n_max = n_max};
    while (append_word(&text, more, seed)) {
    }
    return text.n;
}

uint32_t words_document(uint8_t *bytes, uint32_t n_max, const struct words *more,
                        const struct word *sample, uint64_t *seed)
{
    struct text text = {.bytes = bytes, .n_max = n_max};
    const uint32_t sample_percent = draw(seed, 100);
    const bool has_changes = draw(seed, 2);
    bool fits = true;
    if (has_changes)
        fits = append_changes(&text, draw(seed, 5), seed);
    while (fits) {
        const uint8_t byte = (uint8_t)draw(seed, 256);
        const uint32_t choice = draw(seed, 16);
        if (draw(seed, 100) < sample_percent)
            fits = append_slice(&text, sample, seed);
        else if (choice == 0)
            fits = append(&text, &byte, 1);
        else if (choice == 1)
            fits = append_repeated(&text, more, seed);
        else if (choice < 4 && has_changes)
            fits = append_changes(&text, 1, seed);
        else
            fits = append_word(&text, more, seed);
    }
    return text.n;
}
