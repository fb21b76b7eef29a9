/* The lines of the engine scenarios (conformance/engine/README.md) as words. */
#ifndef NONSTOP_TESTS_WORDS_H
#define NONSTOP_TESTS_WORDS_H

#include "check.h"

/* The bounds that every runner has. */
#define LINE_BYTES 4000
#define LINE_WORDS 250

/* Words that are taken from the front. */
typedef struct {
    const char *const *all;
    size_t count;
    size_t at;
} words;

/* A call, and the answer that is expected. */
typedef struct {
    words call;
    words answer;
    int has_answer;
    /* The name of a status and the text of its message, where the call is to be refused; else NULL. */
    const char *refusal;
    const char *message;
    /* What the words point into. */
    const char *each[LINE_WORDS];
    char bytes[LINE_BYTES + 1];
} line;

/* Reads a line without its end. NULL, or what is wrong with it. */
const char *line_read(line *made, const char *text);

/* Whether a line is more than a comment or empty. */
int line_says_something(const char *text);

/* The next word, or NULL. */
const char *next_word(words *from);

/* Whether there is one. */
int is_left(const words *from);

/* What follows `key=` in a word; NULL where it is no such word. */
const char *value_of(const char *word, const char *key);

/* A number without sign or blanks, of `most` at most. */
int read_number(const char *word, uint64_t most, uint64_t *out_number);

/* Numbers with commas between them; room for `capacity`. */
int read_numbers(const char *word, uint32_t *numbers, size_t capacity, size_t *out_count);

/* The place of a word in a list that ends with NULL; -1 where it is not in it. */
int place_of(const char *word, const char *const *list);

#endif
