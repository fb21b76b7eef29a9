#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int line_says_something(const char *text)
{
    text += strspn(text, " ");
    return *text != '\0' && *text != '#';
}

/* One word from `*text` on into `*into`, both moved on; 0 where a quote is left open. */
static int read_word(const char **text, char **into)
{
    const char *from = *text;
    char *to = *into;
    int is_quoted = 0;
    for (; *from != '\0' && (is_quoted || *from != ' '); from++) {
        if (*from == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        if (*from == '\\' && is_quoted) {
            from++;
            if (*from == '\0') {
                return 0;
            }
        }
        *to++ = *from;
    }
    *to++ = '\0';
    *text = from;
    *into = to;
    return !is_quoted;
}

static const char *read_refusal(line *made)
{
    const char *const *answer = made->answer.all;
    const size_t count = made->answer.count;
    if (!made->has_answer || count == 0 || strcmp(answer[0], "error") != 0) {
        return NULL;
    }
    if (count < 2 || count > 3) {
        return "an error has a name, and perhaps a text";
    }
    made->refusal = answer[1];
    made->message = count == 3 ? answer[2] : "";
    made->has_answer = 0;
    made->answer.count = 0;
    return NULL;
}

const char *line_read(line *made, const char *text)
{
    size_t count = 0, each, arrow;
    char *into = made->bytes;
    if (strlen(text) > LINE_BYTES) {
        return "the line is too long";
    }
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        if (count == LINE_WORDS) {
            return "the line has too many words";
        }
        made->each[count++] = into;
        /* A word takes no more than its letters and the blank, or the end, behind it. */
        if (!read_word(&text, &into)) {
            return "a text is not closed";
        }
    }
    for (arrow = 0; arrow < count && strcmp(made->each[arrow], "->") != 0;) {
        arrow++;
    }
    made->has_answer = arrow < count;
    made->call.all = made->each;
    made->call.count = arrow;
    made->call.at = 0;
    made->answer.all = made->each + arrow + (made->has_answer ? 1 : 0);
    made->answer.count = made->has_answer ? count - arrow - 1 : 0;
    made->answer.at = 0;
    made->refusal = made->message = NULL;
    for (each = 0; each < made->answer.count; each++) {
        if (strcmp(made->answer.all[each], "->") == 0) {
            return "there are two arrows";
        }
    }
    return read_refusal(made);
}

int is_left(const words *from)
{
    return from->at < from->count;
}

const char *next_word(words *from)
{
    return is_left(from) ? from->all[from->at++] : NULL;
}

const char *value_of(const char *word, const char *key)
{
    const size_t len = strlen(key);
    return strncmp(word, key, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

int read_number(const char *word, uint64_t most, uint64_t *out_number)
{
    unsigned long long found;
    if (*word == '\0' || word[strspn(word, "0123456789")] != '\0') {
        return 0;
    }
    errno = 0;
    found = strtoull(word, NULL, 10);
    *out_number = found;
    return errno == 0 && found <= most;
}

int read_numbers(const char *word, uint32_t *numbers, size_t capacity, size_t *out_count)
{
    *out_count = 0;
    for (;;) {
        const size_t len = strcspn(word, ",");
        char one[24];
        uint64_t found;
        if (len >= sizeof one || *out_count == capacity) {
            return 0;
        }
        memcpy(one, word, len);
        one[len] = '\0';
        if (!read_number(one, UINT32_MAX, &found)) {
            return 0;
        }
        numbers[(*out_count)++] = (uint32_t)found;
        if (word[len] == '\0') {
            return 1;
        }
        word += len + 1;
    }
}

int place_of(const char *word, const char *const *list)
{
    int at;
    for (at = 0; list[at] != NULL; at++) {
        if (strcmp(word, list[at]) == 0) {
            return at;
        }
    }
    return -1;
}
