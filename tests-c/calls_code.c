/* Calls of the engine scenarios on sources, the filter and code objects. */
#include "calls.h"

#include <inttypes.h>
#include <string.h>

/* The number of a key such as `k7`. */
static int next_key(run *at_work, line *said, uint64_t *out_key)
{
    const char *word = one_word(at_work, &said->call, "a key");
    if (word == NULL) {
        return 0;
    }
    return (*word == 'k' && read_number(word + 1, UINT64_MAX, out_key)) || wrong(at_work, "'%s' is no key", word);
}

static int an_event(run *at_work, const char *word, uint32_t *out_kind)
{
    /* In the order of their bits. */
    static const char *const kinds[] = {"call", "line", "return", "exception", NULL};
    const int at = place_of(word, kinds);
    *out_kind = at < 0 ? 0 : (uint32_t)1 << at;
    return at >= 0 || wrong(at_work, "there is no event '%s'", word);
}

/* Events with commas between them. */
static int events(run *at_work, const char *word, uint32_t *out_mask)
{
    *out_mask = 0;
    for (;;) {
        const size_t len = strcspn(word, ",");
        char one[16];
        uint32_t kind;
        if (len >= sizeof one) {
            return wrong(at_work, "there is no event '%s'", word);
        }
        memcpy(one, word, len);
        one[len] = '\0';
        if (!an_event(at_work, one, &kind)) {
            return 0;
        }
        *out_mask |= kind;
        if (word[len] == '\0') {
            return 1;
        }
        word += len + 1;
    }
}

void call_source(run *at_work, line *said)
{
    const char *path = one_word(at_work, &said->call, "a path");
    const char *name = path == NULL ? NULL : one_word(at_work, &said->call, "a table");
    const char *module = "", *word;
    const table *found = NULL;
    nonstop_source source;
    size_t each;
    if (name == NULL) {
        return;
    }
    for (each = 0; each < at_work->programs->count; each++) {
        if (strcmp(at_work->programs->all[each].name, name) == 0) {
            found = &at_work->programs->all[each];
        }
    }
    if (found == NULL) {
        wrong(at_work, "there is no table '%s'", name);
        return;
    }
    while ((word = next_word(&said->call)) != NULL) {
        module = value_of(word, "module");
        if (module == NULL) {
            wrong(at_work, "'%s' says nothing of a source", word);
            return;
        }
    }
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.line_count = found->line_count;
    source.scopes = found->scopes;
    source.scope_count = found->scope_count;
    source.blocks = found->blocks;
    source.block_count = found->block_count;
    source.units = found->units;
    source.unit_count = found->unit_count;
    goes_on(at_work, said,
            nonstop_source_register(at_work->engine, path, strlen(path), module, strlen(module), &source));
}

void call_no_source(run *at_work, line *said)
{
    const char *path = one_word(at_work, &said->call, "a path");
    if (path != NULL) {
        goes_on(at_work, said, nonstop_source_without_units(at_work->engine, path, strlen(path), NULL, 0));
    }
}

void call_source_lines(run *at_work, line *said)
{
    const char *path = one_word(at_work, &said->call, "a path"), *word;
    uint32_t found[MOST_LINES], wanted[MOST_LINES];
    size_t count = 0, wanted_count = 0;
    if (path == NULL || !goes_on(at_work, said,
                                 nonstop_source_lines(at_work->engine, path, strlen(path), found, MOST_LINES, &count))) {
        return;
    }
    word = one_word(at_work, &said->answer, "the lines");
    if (word != NULL && (!read_numbers(word, wanted, MOST_LINES, &wanted_count) || wanted_count != count ||
                         memcmp(found, wanted, count * sizeof *found) != 0)) {
        wrong(at_work, "there are %u lines, the last is %u", (unsigned)count, count == 0 ? 0 : (unsigned)found[count - 1]);
    }
}

void call_path_map(run *at_work, line *said)
{
    const char *from = one_word(at_work, &said->call, "from");
    const char *to = from == NULL ? NULL : one_word(at_work, &said->call, "to");
    if (to != NULL) {
        goes_on(at_work, said, nonstop_engine_add_path_map(at_work->engine, from, strlen(from), to, strlen(to)));
    }
}

/* One word of a rule, after its events. */
static int ask_of_rule(run *at_work, nonstop_filter_rule *rule, const char *word)
{
    const char *value;
    uint64_t depth = 0;
    int fine;
    if ((value = value_of(word, "path")) != NULL) {
        rule->path_glob = text(value);
    } else if ((value = value_of(word, "module")) != NULL) {
        rule->module = text(value);
    } else if ((value = value_of(word, "function")) != NULL) {
        rule->function = text(value);
    } else if ((value = value_of(word, "thread")) != NULL) {
        return a_number(at_work, value, UINT64_MAX, &rule->thread_id);
    } else if ((value = value_of(word, "depth")) != NULL) {
        fine = a_number(at_work, value, UINT32_MAX, &depth);
        rule->max_depth = (uint32_t)depth;
        return fine;
    } else {
        return wrong(at_work, "'%s' says nothing of a rule", word);
    }
    return 1;
}

void call_filter(run *at_work, line *said)
{
    static const char *const actions[] = {"exclude", "include", NULL};
    nonstop_filter_rule rules[MOST_AT_ONCE];
    nonstop_text directories[MOST_AT_ONCE];
    size_t rule_count = 0, directory_count = 0;
    const char *word = is_left(&said->call) ? "+" : NULL;
    while (word != NULL) {
        const char *first = one_word(at_work, &said->call, "a rule");
        const char *directory = first == NULL ? NULL : value_of(first, "just_my_code");
        if (first == NULL || rule_count == MOST_AT_ONCE || directory_count == MOST_AT_ONCE) {
            return;
        }
        if (directory != NULL) {
            directories[directory_count++] = text(directory);
            word = next_word(&said->call);
            if (word != NULL && strcmp(word, "+") != 0) {
                wrong(at_work, "'%s' is too much", word);
                return;
            }
        } else {
            nonstop_filter_rule *rule = &rules[rule_count++];
            const char *kinds = one_word(at_work, &said->call, "the events of a rule");
            const int action = place_of(first, actions);
            memset(rule, 0, sizeof *rule);
            rule->struct_size = sizeof *rule;
            rule->include = action == 1;
            if (action < 0) {
                wrong(at_work, "a rule includes or excludes: '%s'", first);
            }
            if (action < 0 || kinds == NULL || !events(at_work, kinds, &rule->events)) {
                return;
            }
            while ((word = next_word(&said->call)) != NULL && strcmp(word, "+") != 0) {
                if (!ask_of_rule(at_work, rule, word)) {
                    return;
                }
            }
        }
    }
    goes_on(at_work, said,
            nonstop_filter_set(at_work->engine, rules, rule_count, directories, directory_count));
}

/* Reads the code object of a call; its lines go to `lines`. */
static int read_code(run *at_work, line *said, nonstop_code_info *info, uint32_t *lines)
{
    const char *path, *name, *word, *value;
    uint64_t first_line;
    memset(info, 0, sizeof *info);
    info->struct_size = sizeof *info;
    if (!next_key(at_work, said, &info->key) || (path = one_word(at_work, &said->call, "a path")) == NULL ||
        (name = one_word(at_work, &said->call, "a name")) == NULL ||
        !next_number(at_work, &said->call, UINT32_MAX, &first_line)) {
        return 0;
    }
    info->path = text(path);
    info->name = text(name);
    info->first_line = (uint32_t)first_line;
    while ((word = next_word(&said->call)) != NULL) {
        if ((value = value_of(word, "module")) != NULL) {
            info->module = text(value);
        } else if ((value = value_of(word, "qualname")) != NULL) {
            info->qualname = text(value);
        } else if ((value = value_of(word, "lines")) != NULL) {
            info->lines = lines;
            if (!read_numbers(value, lines, MOST_LINES, &info->line_count)) {
                return wrong(at_work, "'%s' is no list of lines", value);
            }
        } else {
            return wrong(at_work, "'%s' says nothing of a code object", word);
        }
    }
    return 1;
}

/* `3:s1` or `3:s1:thread_name`. */
static int is_arm(run *at_work, const char *word, const nonstop_arm *arm)
{
    const char *colon = strchr(word, ':'), *flag = colon == NULL ? NULL : strchr(colon + 1, ':');
    char number[16], site[16];
    size_t number_len, site_len;
    uint64_t at;
    if (colon == NULL || (flag != NULL && strcmp(flag, ":thread_name") != 0)) {
        return wrong(at_work, "'%s' is no line with its site", word);
    }
    number_len = (size_t)(colon - word);
    site_len = flag == NULL ? strlen(colon + 1) : (size_t)(flag - colon - 1);
    if (number_len >= sizeof number || site_len >= sizeof site) {
        return wrong(at_work, "'%s' is too long", word);
    }
    memcpy(number, word, number_len);
    memcpy(site, colon + 1, site_len);
    number[number_len] = site[site_len] = '\0';
    if (!a_number(at_work, number, UINT32_MAX, &at)) {
        return 0;
    }
    if (at != arm->line || (flag != NULL) != ((arm->flags & NONSTOP_ARM_NEEDS_THREAD_NAME) != 0)) {
        return wrong(at_work, "the line is %u, its flags %#x", (unsigned)arm->line, (unsigned)arm->flags);
    }
    return meet(at_work, SITE, site, arm->site) != NULL;
}

void call_decide(run *at_work, line *said)
{
    uint32_t lines[MOST_LINES], flags = 0, mask;
    nonstop_code_info info;
    nonstop_decision found;
    nonstop_arm arms[MOST_LINES];
    nonstop_status verdict;
    const char *word, *value;
    size_t arm = 0;
    if (!read_code(at_work, said, &info, lines)) {
        return;
    }
    memset(&found, 0, sizeof found);
    found.struct_size = sizeof found;
    /* No room at first: then the decision tells how much is needed. */
    verdict = nonstop_code_decide(at_work->engine, &info, NULL, 0, &found);
    if (verdict == NONSTOP_ERROR_BUFFER_TOO_SMALL && found.arm_count <= MOST_LINES) {
        verdict = nonstop_code_decide(at_work->engine, &info, arms, found.arm_count, &found);
    }
    if (!goes_on(at_work, said, verdict) || !is_next(at_work, said, verdict_name(verdict))) {
        return;
    }
    mask = found.arm_count > 0 ? NONSTOP_EVENT_LINE : 0;
    while ((word = next_word(&said->answer)) != NULL) {
        int fine = 1;
        if (strcmp(word, "needs_source") == 0) {
            flags |= NONSTOP_NEEDS_SOURCE;
        } else if (strcmp(word, "needs_lines") == 0) {
            flags |= NONSTOP_NEEDS_LINES;
        } else if ((value = value_of(word, "events")) != NULL) {
            fine = events(at_work, value, &mask);
        } else if (arm < found.arm_count) {
            fine = is_arm(at_work, word, &arms[arm++]);
        } else {
            fine = wrong(at_work, "'%s' is not to be armed", word);
        }
        if (!fine) {
            return;
        }
    }
    if (arm < found.arm_count) {
        wrong(at_work, "line %u is armed too", (unsigned)arms[arm].line);
    } else if (found.epoch != epoch_of(at_work->engine)) {
        wrong(at_work, "the decision is of an epoch that is over");
    } else if (found.event_mask != mask || found.flags != flags) {
        wrong(at_work, "the events are %#x, the flags %#x", (unsigned)found.event_mask, (unsigned)found.flags);
    }
}

void call_carries(run *at_work, line *said)
{
    int32_t found = -1;
    uint64_t key;
    known *one = next_key(at_work, said, &key) ? next_named(at_work, said, BREAKPOINT) : NULL;
    if (one != NULL && goes_on(at_work, said, nonstop_code_carries(at_work->engine, key, one->number, &found))) {
        is_next(at_work, said, found == 1 ? "yes" : found == 0 ? "no" : "neither");
    }
}

void call_forget(run *at_work, line *said)
{
    uint64_t key;
    if (next_key(at_work, said, &key)) {
        goes_on(at_work, said, nonstop_code_forget(at_work->engine, key));
    }
}

void call_event(run *at_work, line *said)
{
    uint64_t key, at, thread = 1, depth = 1;
    const char *kind, *word, *value;
    uint32_t kind_bit, site = UINT32_MAX;
    nonstop_status verdict;
    if (!next_key(at_work, said, &key) || (kind = one_word(at_work, &said->call, "an event")) == NULL ||
        !an_event(at_work, kind, &kind_bit) || !next_number(at_work, &said->call, UINT32_MAX, &at)) {
        return;
    }
    while ((word = next_word(&said->call)) != NULL) {
        int fine;
        if ((value = value_of(word, "thread")) != NULL) {
            fine = a_number(at_work, value, UINT64_MAX, &thread);
        } else if ((value = value_of(word, "depth")) != NULL) {
            fine = a_number(at_work, value, UINT32_MAX, &depth);
        } else {
            fine = wrong(at_work, "'%s' says nothing of an event", word);
        }
        if (!fine) {
            return;
        }
    }
    verdict = nonstop_event(at_work->engine, key, kind_bit, (uint32_t)at, thread, (uint32_t)depth, &site);
    if (!goes_on(at_work, said, verdict) || !is_next(at_work, said, verdict_name(verdict))) {
        return;
    }
    word = next_word(&said->answer);
    if (word != NULL) {
        meet(at_work, SITE, word, site);
    } else if (site != 0) {
        wrong(at_work, "it arrives at site %u", (unsigned)site);
    }
}
