/* Calls of the engine scenarios on arrivals, open hits, the channel and templates. */
#include "calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An item hands back what is its breakpoint's own. */
static int is_whole(run *at_work, const nonstop_hit_item *item)
{
    const known *one = numbered(at_work, BREAKPOINT, item->breakpoint);
    return (one != NULL && one->action == item->action && one->user_data == item->user_data) ||
           wrong(at_work, "the item of breakpoint %" PRIu64 " has another's action or user_data", item->breakpoint);
}

/* `b1#2=t1` or `b1?=t1`. */
static int is_item(run *at_work, const char *word, const nonstop_hit_item *item)
{
    const char *equals = strchr(word, '=');
    const size_t name_len = strcspn(word, "#?=");
    char name[16], hit[24];
    uint64_t number = 0;
    known *one, *ticket;
    int32_t verdict = NONSTOP_EVALUATE;
    if (equals == NULL || name_len >= sizeof name || (size_t)(equals - word) - name_len > sizeof hit) {
        return wrong(at_work, "'%s' is no item of a hit", word);
    }
    memcpy(name, word, name_len);
    name[name_len] = '\0';
    if (word[name_len] == '#') {
        const size_t hit_len = (size_t)(equals - word) - name_len - 1;
        memcpy(hit, word + name_len + 1, hit_len);
        hit[hit_len] = '\0';
        verdict = NONSTOP_CAPTURE;
        if (!a_number(at_work, hit, UINT64_MAX, &number)) {
            return 0;
        }
    } else if (word[name_len] != '?' || word + name_len + 1 != equals) {
        return wrong(at_work, "'%s' is no item of a hit", word);
    }
    one = named(at_work, BREAKPOINT, name);
    if (one == NULL) {
        return 0;
    }
    if (item->breakpoint != one->number || item->hit != number || item->verdict != verdict) {
        return wrong(at_work, "the item is hit %" PRIu64 " of breakpoint %" PRIu64 ", with the verdict %s", item->hit,
                     item->breakpoint, nonstop_status_name(item->verdict));
    }
    ticket = is_whole(at_work, item) ? give(at_work, TICKET, equals + 1, item->ticket) : NULL;
    if (ticket != NULL) {
        ticket->action = item->action;
    }
    return ticket != NULL;
}

void call_hit(run *at_work, line *said)
{
    known *site = next_named(at_work, said, SITE);
    const char *name = NULL, *word, *value;
    nonstop_hit_item items[MOST_AT_ONCE];
    nonstop_status verdict;
    uint64_t thread = 1;
    size_t count = 0, each;
    if (site == NULL) {
        return;
    }
    while ((word = next_word(&said->call)) != NULL) {
        if ((value = value_of(word, "name")) != NULL) {
            name = value;
        } else if ((value = value_of(word, "thread")) == NULL) {
            wrong(at_work, "'%s' says nothing of a hit", word);
            return;
        } else if (!a_number(at_work, value, UINT64_MAX, &thread)) {
            return;
        }
    }
    /* No room at first: what is refused for that must not be counted. */
    for (each = 0; each < 2; each++) {
        const size_t room = each == 0 ? 0 : count;
        verdict = nonstop_hit(at_work->engine, (uint32_t)site->number, thread, name, name == NULL ? 0 : strlen(name), 0,
                              items, room, &count);
        if (verdict != NONSTOP_ERROR_BUFFER_TOO_SMALL || count > MOST_AT_ONCE) {
            break;
        }
    }
    if (!goes_on(at_work, said, verdict) || !is_next(at_work, said, verdict_name(verdict))) {
        return;
    }
    for (each = 0; each < count; each++) {
        word = one_word(at_work, &said->answer, "an item of the hit");
        if (word == NULL || !is_item(at_work, word, &items[each])) {
            return;
        }
    }
}

void call_total(run *at_work, line *said)
{
    known *site = next_named(at_work, said, SITE);
    const char *word = site == NULL ? NULL : one_word(at_work, &said->call, "how many");
    uint64_t total;
    if (word != NULL && a_number(at_work, word, UINT64_MAX, &total)) {
        goes_on(at_work, said, nonstop_hit_total(at_work->engine, (uint32_t)site->number, total));
    }
}

void call_commit(run *at_work, line *said)
{
    static const char *const outcomes[] = {"false", "true", "raised", NULL};
    known *ticket = next_named(at_work, said, TICKET);
    const char *word = ticket == NULL ? NULL : one_word(at_work, &said->call, "an outcome");
    nonstop_hit_item item;
    nonstop_status verdict;
    uint64_t hit = 0;
    int outcome;
    if (word == NULL) {
        return;
    }
    outcome = place_of(word, outcomes);
    if (outcome < 0) {
        wrong(at_work, "there is no outcome '%s'", word);
        return;
    }
    memset(&item, 0, sizeof item);
    verdict = nonstop_hit_commit(at_work->engine, ticket->number, outcome, 0, &item);
    if (!goes_on(at_work, said, verdict) || !is_next(at_work, said, verdict_name(verdict)) ||
        !is_whole(at_work, &item)) {
        return;
    }
    word = next_word(&said->answer);
    if (word != NULL && (*word != '#' || !read_number(word + 1, UINT64_MAX, &hit) || hit == 0)) {
        wrong(at_work, "'%s' is no number of a hit", word);
    } else if (item.hit != hit) {
        wrong(at_work, "the number of the hit is %" PRIu64, item.hit);
    } else if (item.verdict != verdict || item.ticket != (verdict == NONSTOP_CAPTURE ? ticket->number : 0)) {
        wrong(at_work, "the item does not say the same as the verdict");
    }
}

void call_abandon(run *at_work, line *said)
{
    known *ticket = next_named(at_work, said, TICKET);
    if (ticket != NULL) {
        goes_on(at_work, said, nonstop_hit_abandon(at_work->engine, ticket->number));
    }
}

/* `name=number`: a local, or the value of an expression. */
static int describe(run *at_work, nonstop_capture *capture, const char *word)
{
    const size_t name_len = strcspn(word, "=");
    const char *value = word + name_len + 1;
    long long number;
    char *end = NULL;
    if (word[name_len] == '\0' || *value == '\0') {
        return wrong(at_work, "'%s' is no value", word);
    }
    number = strtoll(value, &end, 10);
    if (*end != '\0') {
        return wrong(at_work, "'%s' is no whole number", word);
    }
    return (nonstop_capture_name(capture, word, name_len) == NONSTOP_OK &&
            nonstop_capture_int(capture, "int", 3, number) == NONSTOP_OK) ||
           wrong(at_work, "'%s' is not taken", word);
}

void call_capture(run *at_work, line *said)
{
    known *ticket = next_named(at_work, said, TICKET);
    nonstop_capture_head head;
    nonstop_capture *capture = NULL;
    nonstop_status status;
    const char *word;
    if (ticket == NULL) {
        return;
    }
    memset(&head, 0, sizeof head);
    head.line = 3;
    head.file = text(SHOP);
    head.function = text("total");
    head.time_ns = 1700000000000000000U;
    head.thread_id = 1;
    head.thread_name = text("MainThread");
    status = nonstop_capture_new(ticket->number, &head, &capture);
    if (status == NONSTOP_OK) {
        status = ticket->action == NONSTOP_LOG
                     ? nonstop_capture_expressions(capture)
                     : nonstop_capture_frame(capture, SHOP, strlen(SHOP), 3, "total", 5, 1);
    }
    if (status != NONSTOP_OK) {
        wrong(at_work, "no capture can begin: %s", nonstop_status_name(status));
    }
    while (at_work->why[0] == '\0' && (word = next_word(&said->call)) != NULL) {
        describe(at_work, capture, word);
    }
    if (at_work->why[0] != '\0') {
        nonstop_capture_free(capture);
        return;
    }
    status = nonstop_capture_send(at_work->engine, capture);
    if (goes_on(at_work, said, status)) {
        is_next(at_work, said, verdict_name(status));
    }
}

void call_records(run *at_work, line *said)
{
    known *ticket = next_named(at_work, said, TICKET);
    const char *records = ticket == NULL ? NULL : one_word(at_work, &said->call, "a text");
    nonstop_status status;
    if (records == NULL) {
        return;
    }
    status = nonstop_capture_records(at_work->engine, ticket->number, records, strlen(records));
    if (goes_on(at_work, said, status)) {
        is_next(at_work, said, verdict_name(status));
    }
}

/* Whether a document holds these words. JSON as the engine writes it has no blanks between tokens. */
static int document_holds(const nonstop_received *from, const char *words)
{
    const size_t len = strlen(words);
    size_t at;
    for (at = 0; at + len <= from->json_len; at++) {
        if (memcmp(from->json + at, words, len) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Compares one snapshot with its words; `*word` is the first of them, and then the first that is not its own. */
static int is_received(run *at_work, line *said, const char **word, const nonstop_received *from)
{
    const char *hash = strchr(*word, '#'), *value;
    const size_t name_len = strcspn(*word, "#");
    char name[16], wanted[1024];
    known *one;
    uint64_t hit;
    if (hash == NULL || name_len >= sizeof name || !read_number(hash + 1, UINT64_MAX, &hit)) {
        return wrong(at_work, "'%s' is no snapshot, and one is received", *word);
    }
    memcpy(name, *word, name_len);
    name[name_len] = '\0';
    one = named(at_work, BREAKPOINT, name);
    if (one == NULL) {
        return 0;
    }
    snprintf(wanted, sizeof wanted, "\"breakpoint\":%" PRIu64 ",", one->number);
    if (from->breakpoint != one->number || from->action != one->action || !document_holds(from, wanted)) {
        return wrong(at_work, "the snapshot is of breakpoint %" PRIu64, from->breakpoint);
    }
    snprintf(wanted, sizeof wanted, "\"hit\":%" PRIu64 ",", hit);
    while (document_holds(from, wanted)) {
        *word = next_word(&said->answer);
        if (*word == NULL || strchr(*word, '=') == NULL) {
            return 1;
        }
        value = value_of(*word, "message");
        if (value != NULL) {
            snprintf(wanted, sizeof wanted, "\"message\":\"%s\",", value);
        } else {
            value = strchr(*word, '=');
            snprintf(wanted, sizeof wanted, "\"%.*s\":{\"type\":\"int\",\"value\":%s}", (int)(value - *word), *word,
                     value + 1);
        }
    }
    return wrong(at_work, "no %s in %.*s", wanted, (int)from->json_len, from->json);
}

void call_receive(run *at_work, line *said)
{
    nonstop_received received[MOST_AT_ONCE];
    const char *word = one_word(at_work, &said->answer, "what is received");
    size_t count = 0, more, each;
    nonstop_status status;
    if (word == NULL) {
        return;
    }
    do {
        more = 0;
        status = nonstop_channel_receive_batch(at_work->engine, 0, received + count, MOST_AT_ONCE - count, &more);
        count += more;
    } while (status == NONSTOP_OK && count < MOST_AT_ONCE);
    if (status != NONSTOP_ERROR_TIMEOUT && status != NONSTOP_ERROR_CLOSED) {
        wrong(at_work, "receiving ends with %s", nonstop_status_name(status));
    } else if (count == 0) {
        const char *end = status == NONSTOP_ERROR_CLOSED ? "closed" : "nothing";
        if (strcmp(word, end) != 0) {
            wrong(at_work, "found '%s', not '%s'", end, word);
        }
        word = NULL;
    }
    for (each = 0; each < count && at_work->why[0] == '\0'; each++) {
        if (word == NULL) {
            wrong(at_work, "more is received");
        } else {
            is_received(at_work, said, &word, &received[each]);
        }
    }
    if (at_work->why[0] == '\0' && word != NULL) {
        wrong(at_work, "'%s' is not received", word);
    }
    nonstop_received_free(received, count);
}

void call_close(run *at_work, line *said)
{
    goes_on(at_work, said, nonstop_channel_close(at_work->engine));
}

void call_stats(run *at_work, line *said)
{
    nonstop_channel_stats found;
    uint64_t queued = 0, sent = 0, dropped = 0;
    const char *word, *value;
    memset(&found, 0, sizeof found);
    found.struct_size = sizeof found;
    if (!goes_on(at_work, said, nonstop_channel_get_stats(at_work->engine, &found))) {
        return;
    }
    while ((word = next_word(&said->answer)) != NULL) {
        uint64_t *number = (value = value_of(word, "queued")) != NULL    ? &queued
                           : (value = value_of(word, "sent")) != NULL    ? &sent
                           : (value = value_of(word, "dropped")) != NULL ? &dropped
                                                                         : NULL;
        if (number == NULL) {
            wrong(at_work, "'%s' says nothing of the channel", word);
            return;
        }
        if (!a_number(at_work, value, UINT64_MAX, number)) {
            return;
        }
    }
    if (found.queued != queued || found.sent != sent || found.dropped != dropped ||
        (found.queued > 0) != (found.queued_bytes > 0)) {
        wrong(at_work, "queued=%" PRIu64 " (%" PRIu64 " bytes) sent=%" PRIu64 " dropped=%" PRIu64, found.queued,
              found.queued_bytes, found.sent, found.dropped);
    }
}

/* The next word of the answer is `key=` and this piece of the template. */
static int is_piece(run *at_work, line *said, const char *key, const char *start, size_t len)
{
    char found[256];
    if (len + strlen(key) + 2 > sizeof found) {
        return wrong(at_work, "a part of the template is too long for this test");
    }
    snprintf(found, sizeof found, "%s=%.*s", key, (int)len, start);
    return is_next(at_work, said, found);
}

void call_template(run *at_work, line *said)
{
    const char *source = one_word(at_work, &said->call, "a template");
    nonstop_template_part parts[MOST_AT_ONCE];
    size_t count = 0, each;
    if (source == NULL ||
        !goes_on(at_work, said, nonstop_template_parse(source, strlen(source), parts, MOST_AT_ONCE, &count))) {
        return;
    }
    for (each = 0; each < count; each++) {
        const nonstop_template_part *part = &parts[each];
        const char letter = (char)part->conversion;
        const char *key = part->kind == NONSTOP_PART_LITERAL ? "literal" : "expression";
        if (!is_piece(at_work, said, key, source + part->start, part->len) ||
            (letter != '\0' && !is_piece(at_work, said, "conversion", &letter, 1)) ||
            (part->spec_len > 0 && !is_piece(at_work, said, "format", source + part->spec_start, part->spec_len))) {
            return;
        }
    }
}
