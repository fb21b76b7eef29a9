/* Calls of the engine scenarios on breakpoints. */
#include "calls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"pending", "bound", "exhausted", "expired", "failed", "unverified", NULL};

static int a_decimal(run *at_work, const char *word, double *out_number)
{
    char *end = NULL;
    *out_number = strtod(word, &end);
    return (*word != '\0' && *end == '\0') || wrong(at_work, "'%s' is no number", word);
}

/* One word of a breakpoint. */
static int ask(run *at_work, nonstop_breakpoint_spec *spec, const char *word)
{
    const char *value;
    if (strcmp(word, "count") == 0) {
        spec->action = NONSTOP_COUNT;
    } else if (strcmp(word, "snapshot") == 0) {
        spec->action = NONSTOP_SNAPSHOT;
    } else if (strcmp(word, "condition") == 0) {
        spec->flags |= NONSTOP_HAS_CONDITION;
    } else if (strcmp(word, "disabled") == 0) {
        spec->flags |= NONSTOP_DISABLED;
    } else if ((value = value_of(word, "log")) != NULL) {
        spec->action = NONSTOP_LOG;
        spec->log_template = text(value);
    } else if ((value = value_of(word, "hit")) != NULL) {
        spec->hit_condition = text(value);
    } else if ((value = value_of(word, "thread_name")) != NULL) {
        spec->thread_name = text(value);
    } else if ((value = value_of(word, "thread_id")) != NULL) {
        return a_number(at_work, value, UINT64_MAX, &spec->thread_id);
    } else if ((value = value_of(word, "max_hits")) != NULL) {
        return a_number(at_work, value, UINT64_MAX, &spec->max_hits);
    } else if ((value = value_of(word, "expires_ms")) != NULL) {
        const int is_one = a_number(at_work, value, UINT32_MAX, &spec->expires_after_ns);
        spec->expires_after_ns *= 1000000;
        return is_one;
    } else if ((value = value_of(word, "rate")) != NULL) {
        return a_decimal(at_work, value, &spec->rate_per_second);
    } else if ((value = value_of(word, "burst")) != NULL) {
        return a_decimal(at_work, value, &spec->burst);
    } else {
        return wrong(at_work, "'%s' says nothing of a breakpoint", word);
    }
    return 1;
}

void call_add(run *at_work, line *said)
{
    nonstop_breakpoint_spec specs[MOST_AT_ONCE];
    const char *names[MOST_AT_ONCE];
    nonstop_breakpoint_id ids[MOST_AT_ONCE];
    size_t count = 0, each;
    const char *word;
    do {
        const char *name = one_word(at_work, &said->call, "the name of a breakpoint");
        const char *location = one_word(at_work, &said->call, "a location");
        if (name == NULL || location == NULL) {
            return;
        }
        for (each = 0; each < count && strcmp(names[each], name) != 0;) {
            each++;
        }
        if (count == MOST_AT_ONCE || each < count) {
            wrong(at_work, "%s is given already, or there are too many", name);
            return;
        }
        specs[count] = spec_at(location, NONSTOP_COUNT);
        specs[count].user_data = at_work->name_count + count + 100;
        names[count] = name;
        while ((word = next_word(&said->call)) != NULL && strcmp(word, "+") != 0) {
            if (!ask(at_work, &specs[count], word)) {
                return;
            }
        }
        count++;
    } while (word != NULL);
    if (!goes_on(at_work, said, nonstop_breakpoints_add(at_work->engine, specs, count, ids))) {
        return;
    }
    for (each = 0; each < count; each++) {
        known *made = give(at_work, BREAKPOINT, names[each], ids[each]);
        const char *target = strrchr(specs[each].location.data, ':') + 1;
        uint64_t asked = 0;
        if (made == NULL) {
            return;
        }
        made->action = specs[each].action;
        made->user_data = specs[each].user_data;
        made->requested_line = read_number(target, UINT32_MAX, &asked) ? (uint32_t)asked : 0;
    }
}

/* The ids of all words of the call; 0 of them where one is wrong. */
static size_t all_named(run *at_work, line *said, nonstop_breakpoint_id *ids)
{
    size_t count = 0;
    do {
        known *one = next_named(at_work, said, BREAKPOINT);
        if (one == NULL) {
            return 0;
        }
        ids[count++] = one->number;
    } while (is_left(&said->call) && count < MOST_AT_ONCE);
    return count;
}

void call_remove(run *at_work, line *said)
{
    nonstop_breakpoint_id ids[MOST_AT_ONCE];
    const size_t count = all_named(at_work, said, ids);
    if (count > 0) {
        goes_on(at_work, said, nonstop_breakpoints_remove(at_work->engine, ids, count));
    }
}

static void set_enabled(run *at_work, line *said, int32_t enabled)
{
    nonstop_breakpoint_id ids[MOST_AT_ONCE];
    const size_t count = all_named(at_work, said, ids);
    if (count > 0) {
        goes_on(at_work, said, nonstop_breakpoints_set_enabled(at_work->engine, ids, count, enabled));
    }
}

void call_enable(run *at_work, line *said)
{
    set_enabled(at_work, said, 1);
}

void call_disable(run *at_work, line *said)
{
    set_enabled(at_work, said, 0);
}

void call_set_state(run *at_work, line *said)
{
    known *one = next_named(at_work, said, BREAKPOINT);
    const char *name = one == NULL ? NULL : one_word(at_work, &said->call, "a state");
    const char *reason = name == NULL ? NULL : one_word(at_work, &said->call, "a reason");
    int state;
    if (reason == NULL) {
        return;
    }
    state = place_of(name, states);
    if (state < 0) {
        wrong(at_work, "there is no state '%s'", name);
        return;
    }
    goes_on(at_work, said,
            nonstop_breakpoint_set_state(at_work->engine, one->number, state, reason, strlen(reason)));
}

/* One number of a report. */
typedef struct {
    const char *key;
    uint64_t found;
    /* Must be named where it is not 0. */
    int is_counter;
    int is_named;
} figure;

/* `key=number` of one of the figures. */
static int is_figure(run *at_work, figure *figures, const char *word)
{
    figure *each;
    for (each = figures; each->key != NULL; each++) {
        const char *value = value_of(word, each->key);
        uint64_t wanted;
        if (value != NULL) {
            each->is_named = 1;
            return a_number(at_work, value, UINT64_MAX, &wanted) &&
                   (wanted == each->found || wrong(at_work, "%s is %" PRIu64, each->key, each->found));
        }
    }
    return wrong(at_work, "'%s' says nothing of a report", word);
}

/* `key=yes` or `key=no`. */
static int is_so(run *at_work, const char *value, int found)
{
    static const char *const yes_or_no[] = {"no", "yes", NULL};
    return place_of(value, yes_or_no) == (found ? 1 : 0) || wrong(at_work, "it is not %s", value);
}

static void compare(run *at_work, line *said, const nonstop_breakpoint_report *found, const char *reason)
{
    figure figures[] = {
        {"skipped", found->skipped, 1, 0},
        {"false", found->false_conditions, 1, 0},
        {"errors", found->errors, 1, 0},
        {"passed", found->passed, 1, 0},
        {"limited", found->limited, 1, 0},
        {"captured", found->captured, 1, 0},
        {"dropped", found->dropped, 1, 0},
        {"arrivals", found->arrivals, 0, 0},
        {"hits", found->hits, 0, 0},
        {"requested", found->requested_line, 0, 0},
        {"at", found->resolved_line, 0, 0},
        {"code", found->code_objects, 0, 0},
        {NULL, 0, 0, 0},
    };
    const char *word, *value;
    figure *each;
    if (found->state < 0 || found->state > NONSTOP_UNVERIFIED || !is_next(at_work, said, states[found->state])) {
        wrong(at_work, "the state is %d: %s", (int)found->state, reason);
        return;
    }
    while ((word = next_word(&said->answer)) != NULL) {
        int fine;
        if ((value = value_of(word, "reason")) != NULL) {
            fine = (*value == '\0' ? *reason == '\0' : strstr(reason, value) != NULL) ||
                   wrong(at_work, "the reason is '%s'", reason);
        } else if ((value = value_of(word, "enabled")) != NULL) {
            fine = is_so(at_work, value, found->enabled != 0);
        } else if ((value = value_of(word, "off")) != NULL) {
            fine = is_so(at_work, value, found->off_ns > 0);
        } else {
            fine = is_figure(at_work, figures, word);
        }
        if (!fine) {
            return;
        }
    }
    for (each = figures; each->key != NULL; each++) {
        if (each->is_counter && !each->is_named && each->found != 0) {
            wrong(at_work, "%s is %" PRIu64 ", and is not named", each->key, each->found);
        }
    }
}

void call_report(run *at_work, line *said)
{
    known *one = next_named(at_work, said, BREAKPOINT);
    nonstop_breakpoint_report found;
    char reason[1024] = "";
    size_t len = 0;
    if (one == NULL) {
        return;
    }
    memset(&found, 0, sizeof found);
    found.struct_size = sizeof found;
    if (!goes_on(at_work, said, nonstop_breakpoint_get_report(at_work->engine, one->number, &found)) ||
        !goes_on(at_work, said,
                 nonstop_breakpoint_reason(at_work->engine, one->number, reason, sizeof reason - 1, &len))) {
        return;
    }
    reason[len] = '\0';
    if (found.arrivals != found.skipped + found.false_conditions + found.errors + found.hits ||
        found.hits != found.passed + found.limited + found.captured + found.dropped) {
        wrong(at_work, "the sums of the counters are not those of rule 4.1");
    } else if (found.user_data != one->user_data || found.requested_line != one->requested_line) {
        wrong(at_work, "what was asked for is not handed back");
    } else {
        compare(at_work, said, &found, reason);
    }
}
