/* Word lists of the corpus generator: our own, plain data. */
#ifndef L0_BENCH_CORPUS_WORDS_H
#define L0_BENCH_CORPUS_WORDS_H

#define CORPUS_NOUNS       100
#define CORPUS_ADJECTIVES  60
#define CORPUS_VERBS       50
#define CORPUS_ADVERBS     30
#define CORPUS_NAMES       40
#define CORPUS_GREEK       24
#define CORPUS_OPERATORS   12
#define CORPUS_RELATIONS   14
#define CORPUS_TERMS       20
#define CORPUS_SHORT_TERMS 14
#define CORPUS_RUSSIAN     60
#define CORPUS_HELLENIC    50

extern const char *const corpus_nouns[CORPUS_NOUNS];
extern const char *const corpus_adjectives[CORPUS_ADJECTIVES];
extern const char *const corpus_verbs[CORPUS_VERBS]; /* third person singular */
extern const char *const corpus_adverbs[CORPUS_ADVERBS];
extern const char *const corpus_names[CORPUS_NAMES];

/* Mathematics, for use inside $…$; terms are templates (see corpus_expand). */
extern const char *const corpus_greek[CORPUS_GREEK];
extern const char *const corpus_operators[CORPUS_OPERATORS];
extern const char *const corpus_relations[CORPUS_RELATIONS];
extern const char *const corpus_terms[CORPUS_TERMS];
extern const char *const corpus_short_terms[CORPUS_SHORT_TERMS];

extern const char *const corpus_russian[CORPUS_RUSSIAN];
extern const char *const corpus_hellenic[CORPUS_HELLENIC];
extern const char corpus_han[]; /* common ideographs, three bytes each */

#endif
