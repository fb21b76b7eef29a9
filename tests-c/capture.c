/* Captures: what a host describes call by call, or as one stream of records, and the document that it becomes. */
#include "shop.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Opens a hit of a new snapshot breakpoint. */
static nonstop_ticket open_hit(const nonstop_engine *engine)
{
    add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    return arrive(engine, site_at(engine, 3)).items[0].ticket;
}

static void every_kind_of_value_comes_out_as_it_went_in(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_capture *capture = begin_capture(open_hit(engine));
    char *json;
#define NAME(words) CHECK_STATUS(nonstop_capture_name(capture, words, strlen(words)), NONSTOP_OK)
#define OK(call) CHECK_STATUS(call, NONSTOP_OK)
    NAME("count");
    OK(nonstop_capture_int(capture, "int", 3, INT64_MIN));
    NAME("price");
    OK(nonstop_capture_float(capture, "float", 5, 9.5));
    NAME("huge");
    OK(nonstop_capture_float(capture, "float", 5, (double)INFINITY));
    NAME("open");
    OK(nonstop_capture_bool(capture, "bool", 4, 1));
    NAME("owner");
    OK(nonstop_capture_none(capture, "NoneType", 8));
    NAME("name");
    OK(nonstop_capture_text(capture, "str", 3, "Zo\xc3\xab \"\x1e\x1f\x10\0!", 11, -1, NULL, 0));
    NAME("note");
    OK(nonstop_capture_text(capture, "str", 3, "abc", 3, 9000, "characters", 10));
    NAME("password");
    OK(nonstop_capture_text(capture, "str", 3, "hunter2", 7, -1, NULL, 0));
    OK(nonstop_capture_frame(capture, "/app/main.py", 12, 10, "main", 4, 0));
    OK(nonstop_capture_expressions(capture));
    NAME("cart");
    OK(nonstop_capture_begin(capture, NONSTOP_FIELDS, "Cart", 4, 1, -1));
    NAME("items");
    OK(nonstop_capture_begin(capture, NONSTOP_ITEMS, "list", 4, 0, 200));
    OK(nonstop_capture_int(capture, "int", 3, 1));
    OK(nonstop_capture_omitted(capture, "list", 4, "depth", 5));
    OK(nonstop_capture_end(capture, "items", 5));
    NAME("stock");
    OK(nonstop_capture_begin(capture, NONSTOP_ENTRIES, "dict", 4, 2, 1));
    OK(nonstop_capture_text(capture, "str", 3, "self", 4, -1, NULL, 0));
    OK(nonstop_capture_reference(capture, "Cart", 4, 1));
    OK(nonstop_capture_end(capture, NULL, 0));
    OK(nonstop_capture_end(capture, NULL, 0));
#undef OK
#undef NAME
    CHECK_STATUS(nonstop_capture_send(engine, capture), NONSTOP_CAPTURE);
    json = received(engine);
    CHECK_HOLDS(json, "\"location\":{\"file\":\"/app/shop.py\",\"line\":3,\"function\":\"total\"},\"hit\":1,"
                      "\"time_ns\":1700000000000000000,\"thread\":{\"id\":7,\"name\":\"MainThread\"},\"task\":null");
    CHECK_HOLDS(json, "\"locals\":{\"count\":{\"type\":\"int\",\"value\":-9223372036854775808},"
                      "\"price\":{\"type\":\"float\",\"value\":9.5},"
                      "\"huge\":{\"type\":\"float\",\"value\":\"inf\"},"
                      "\"open\":{\"type\":\"bool\",\"value\":true},"
                      "\"owner\":{\"type\":\"NoneType\",\"value\":null}");
    CHECK_HOLDS(json, "\"name\":{\"type\":\"str\",\"value\":\"Zo\xc3\xab \\\"\\u001e\\u001f\\u0010\\u0000!\"}");
    CHECK_HOLDS(json, "\"note\":{\"type\":\"str\",\"value\":\"abc\",\"size\":9000,\"cut\":\"characters\"}");
    CHECK_HOLDS(json, "\"password\":{\"type\":\"str\",\"redacted\":true}");
    CHECK_HOLDS(json, "{\"file\":\"/app/main.py\",\"line\":10,\"function\":\"main\"}]");
    CHECK_HOLDS(json, "\"captures\":{\"cart\":{\"type\":\"Cart\",\"fields\":{"
                      "\"items\":{\"type\":\"list\",\"items\":[{\"type\":\"int\",\"value\":1},"
                      "{\"type\":\"list\",\"cut\":\"depth\"}],\"size\":200,\"cut\":\"items\"},"
                      "\"stock\":{\"type\":\"dict\",\"entries\":[[{\"type\":\"str\",\"value\":\"self\"},"
                      "{\"type\":\"Cart\",\"ref\":1}]],\"size\":1,\"id\":2}},\"id\":1}},\"cut\":[]}");
    CHECK(json != NULL && strstr(json, "hunter2") == NULL);
    free(json);
    nonstop_engine_free(engine);
}

static void calls_and_records_make_the_same_document(void)
{
    static const char records[] = "h\x1f/app/shop.py\x1f"
                                  "3\x1ftotal\x1f"
                                  "1700000000000000000\x1f"
                                  "7\x1fMainThread\x1f\x1e"
                                  "f\x1f/app/shop.py\x1f"
                                  "3\x1ftotal\x1f"
                                  "1\x1en\x1fprice\x1ei\x1fint\x1f"
                                  "42\x1e";
    nonstop_engine *by_call = shop_engine(NULL), *by_records = shop_engine(NULL);
    char *one, *other;
    CHECK_STATUS(send_price(by_call, open_hit(by_call), 42), NONSTOP_CAPTURE);
    CHECK_STATUS(nonstop_capture_records(by_records, open_hit(by_records), records, sizeof records - 1),
                 NONSTOP_CAPTURE);
    one = received(by_call);
    other = received(by_records);
    CHECK(one != NULL && other != NULL && strcmp(one, other) == 0);
    free(one);
    free(other);
    nonstop_engine_free(by_call);
    nonstop_engine_free(by_records);
}

static void a_log_says_its_message(void)
{
    static const char template[] = "price is {price:>5}, {name!r}";
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_LOG);
    nonstop_snapshot *snapshot = NULL;
    nonstop_template_part parts[4];
    nonstop_capture *capture;
    const char *json;
    nonstop_breakpoint_id id;
    arrival found;
    size_t count = 0, part, len;
    spec.log_template = text(template);
    id = add(engine, spec);
    CHECK_STATUS(nonstop_template_parse(template, strlen(template), parts, 4, &count), NONSTOP_OK);
    CHECK_EQUAL(count, 4);
    CHECK_EQUAL(parts[1].kind, NONSTOP_PART_EXPRESSION);
    CHECK(parts[1].len == 5 && memcmp(template + parts[1].start, "price", 5) == 0);
    CHECK(parts[1].spec_len == 2 && memcmp(template + parts[1].spec_start, ">5", 2) == 0);
    CHECK_EQUAL(parts[3].conversion, 'r');
    found = arrive(engine, site_at(engine, 3));
    CHECK_EQUAL(found.items[0].action, NONSTOP_LOG);
    capture = begin_capture(found.items[0].ticket);
    CHECK_STATUS(nonstop_capture_expressions(capture), NONSTOP_OK);
    for (part = 0; part < count; part++) {
        if (parts[part].kind == NONSTOP_PART_EXPRESSION) {
            CHECK_STATUS(nonstop_capture_name(capture, template + parts[part].start, parts[part].len), NONSTOP_OK);
            CHECK_STATUS(part == 1 ? nonstop_capture_int(capture, "int", 3, 42)
                                   : nonstop_capture_text(capture, "str", 3, "pie", 3, -1, NULL, 0),
                         NONSTOP_OK);
        }
    }
    CHECK_STATUS(nonstop_capture_send(engine, capture), NONSTOP_CAPTURE);
    CHECK_STATUS(nonstop_channel_receive(engine, 0, &snapshot), NONSTOP_OK);
    CHECK_EQUAL(nonstop_snapshot_breakpoint(snapshot), id);
    CHECK_EQUAL(nonstop_snapshot_action(snapshot), NONSTOP_LOG);
    CHECK_STATUS(nonstop_snapshot_json(snapshot, &json, &len), NONSTOP_OK);
    {
        char *copy = calloc(len + 1, 1);
        if (CHECK(copy != NULL)) {
            memcpy(copy, json, len);
            CHECK_HOLDS(copy, "\"message\":\"price is    42, 'pie'\"");
        }
        free(copy);
    }
    nonstop_snapshot_free(snapshot);
    nonstop_engine_free(engine);
}

static void records_that_make_no_document_are_a_counted_drop(void)
{
    static const struct {
        const char *records;
        size_t len;
        const char *words;
    } bad[] = {
        {"", 0, "byte 0"},
        {"nonsense", 8, "byte"},
        {"h\x1f\xff\x1e", 4, "UTF-8"},
        {"h\x1f/a\x1f"
         "3\x1e]\x1e",
         9, "byte"},
    };
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    const size_t many = sizeof bad / sizeof *bad;
    size_t each;
    for (each = 0; each < many; each++) {
        const nonstop_ticket ticket = arrive(engine, site).items[0].ticket;
        CHECK_REFUSED(nonstop_capture_records(engine, ticket, bad[each].records, bad[each].len),
                      NONSTOP_ERROR_INVALID_RECORDS, bad[each].words);
        CHECK_STATUS(nonstop_hit_abandon(engine, ticket), NONSTOP_ERROR_NOT_FOUND);
    }
    CHECK_EQUAL(report_of(engine, id).dropped, many);
    CHECK_EQUAL(stats_of(engine).queued, 0);
    nonstop_engine_free(engine);
}

static void calls_in_an_order_that_makes_no_document_are_refused_when_sent(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_id id = add_at(engine, "shop.py:3", NONSTOP_SNAPSHOT);
    const uint32_t site = site_at(engine, 3);
    nonstop_capture *capture = begin_capture(arrive(engine, site).items[0].ticket);
    CHECK_STATUS(nonstop_capture_int(capture, "int", 3, 1), NONSTOP_OK);
    CHECK_REFUSED(nonstop_capture_send(engine, capture), NONSTOP_ERROR_INVALID_RECORDS, "byte");
    capture = begin_capture(arrive(engine, site).items[0].ticket);
    CHECK_STATUS(nonstop_capture_name(capture, "list", 4), NONSTOP_OK);
    CHECK_STATUS(nonstop_capture_begin(capture, NONSTOP_ITEMS, "list", 4, 0, -1), NONSTOP_OK);
    CHECK_REFUSED(nonstop_capture_send(engine, capture), NONSTOP_ERROR_INVALID_RECORDS, "byte");
    CHECK_EQUAL(report_of(engine, id).dropped, 2);
    nonstop_engine_free(engine);
}

static void an_end_without_a_begin_is_refused_at_once_and_spoils_nothing(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_capture *capture = begin_capture(open_hit(engine));
    char *json;
    CHECK_REFUSED(nonstop_capture_end(capture, NULL, 0), NONSTOP_ERROR_INVALID_RECORDS, "end without a begin");
    CHECK_REFUSED(nonstop_capture_begin(capture, 3, "list", 4, 0, -1), NONSTOP_ERROR_INVALID_ARGUMENT, "container 3");
    CHECK_REFUSED(nonstop_capture_name(capture, "\xff", 1), NONSTOP_ERROR_INVALID_UTF8, "name is not UTF-8");
    CHECK_STATUS(nonstop_capture_send(engine, capture), NONSTOP_CAPTURE);
    json = received(engine);
    CHECK_HOLDS(json, "\"locals\":{}");
    free(json);
    nonstop_engine_free(engine);
}

static void a_capture_that_is_freed_leaves_its_ticket_open(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    const nonstop_ticket ticket = open_hit(engine);
    nonstop_capture_free(begin_capture(ticket));
    CHECK_STATUS(send_price(engine, ticket, 1), NONSTOP_CAPTURE);
    nonstop_engine_free(engine);
}

static void a_snapshot_is_never_larger_than_its_limit(void)
{
    enum { LIMIT = 16384 };
    nonstop_engine *engine = shop_engine(NULL);
    nonstop_breakpoint_spec spec = spec_at("shop.py:3", NONSTOP_SNAPSHOT);
    nonstop_capture *capture;
    char *json, name[16];
    int local;
    spec.limits.struct_size = sizeof spec.limits;
    spec.limits.snapshot_bytes = LIMIT;
    add(engine, spec);
    capture = begin_capture(arrive(engine, site_at(engine, 3)).items[0].ticket);
    memcpy(name, "local-aa", 9);
    for (local = 0; local < 600; local++) {
        name[6] = (char)('a' + local / 26);
        name[7] = (char)('a' + local % 26);
        CHECK_STATUS(nonstop_capture_name(capture, name, 8), NONSTOP_OK);
        CHECK_STATUS(nonstop_capture_text(capture, "str", 3, "some words", 10, -1, NULL, 0), NONSTOP_OK);
    }
    CHECK_STATUS(nonstop_capture_send(engine, capture), NONSTOP_CAPTURE);
    json = received(engine);
    CHECK(json != NULL && strlen(json) <= LIMIT && strlen(json) > LIMIT / 2);
    CHECK_HOLDS(json, "\"snapshot size\"");
    free(json);
    nonstop_engine_free(engine);
}

/* What the thread that does not own the capture gets; one of each function that takes one. */
typedef struct {
    const nonstop_engine *engine;
    nonstop_capture *capture;
} others;

static void *use_anothers_capture(void *given)
{
    const nonstop_engine *engine = ((others *)given)->engine;
    nonstop_capture *capture = ((others *)given)->capture;
#define WRONG(call) CHECK_REFUSED(call, NONSTOP_ERROR_WRONG_THREAD, "thread that made it")
    WRONG(nonstop_capture_frame(capture, SHOP, 12, 3, "total", 5, 1));
    WRONG(nonstop_capture_expressions(capture));
    WRONG(nonstop_capture_name(capture, "price", 5));
    WRONG(nonstop_capture_int(capture, "int", 3, 13));
    WRONG(nonstop_capture_float(capture, "float", 5, 13.0));
    WRONG(nonstop_capture_bool(capture, "bool", 4, 1));
    WRONG(nonstop_capture_none(capture, "NoneType", 8));
    WRONG(nonstop_capture_text(capture, "str", 3, "13", 2, -1, NULL, 0));
    WRONG(nonstop_capture_begin(capture, NONSTOP_ITEMS, "list", 4, 0, -1));
    WRONG(nonstop_capture_end(capture, NULL, 0));
    WRONG(nonstop_capture_reference(capture, "list", 4, 1));
    WRONG(nonstop_capture_omitted(capture, "list", 4, "depth", 5));
    WRONG(nonstop_capture_send(engine, capture));
#undef WRONG
    nonstop_capture_free(capture);
    return NULL;
}

static void a_capture_works_in_its_own_thread_only(void)
{
    nonstop_engine *engine = shop_engine(NULL);
    others given;
    pthread_t thread;
    char *json;
    given.engine = engine;
    given.capture = begin_capture(open_hit(engine));
    CHECK_STATUS(nonstop_capture_name(given.capture, "price", 5), NONSTOP_OK);
    pthread_create(&thread, NULL, use_anothers_capture, &given);
    pthread_join(thread, NULL);
    /* Nothing was written, nothing was freed. */
    CHECK_STATUS(nonstop_capture_int(given.capture, "int", 3, 42), NONSTOP_OK);
    CHECK_STATUS(nonstop_capture_send(engine, given.capture), NONSTOP_CAPTURE);
    json = received(engine);
    CHECK_HOLDS(json, "\"locals\":{\"price\":{\"type\":\"int\",\"value\":42}}");
    free(json);
    nonstop_engine_free(engine);
}

static void templates_are_taken_apart_or_refused_with_the_position(void)
{
    nonstop_template_part parts[2];
    size_t count = 77;
    memset(parts, 0, sizeof parts);
    CHECK_REFUSED(nonstop_template_parse("a {b} c", 7, parts, 2, &count), NONSTOP_ERROR_BUFFER_TOO_SMALL, "room for 2");
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(parts[0].len, 0);
    CHECK_STATUS(nonstop_template_parse("", 0, NULL, 0, &count), NONSTOP_OK);
    CHECK_EQUAL(count, 0);
    CHECK_REFUSED(nonstop_template_parse("a {b", 4, parts, 2, &count), NONSTOP_ERROR_INVALID_TEMPLATE, "{b");
    CHECK_REFUSED(nonstop_template_parse("a }", 3, parts, 2, &count), NONSTOP_ERROR_INVALID_TEMPLATE, "}");
    CHECK_EQUAL(count, 0);
}

const test capture_tests[] = {
    TEST(every_kind_of_value_comes_out_as_it_went_in),
    TEST(calls_and_records_make_the_same_document),
    TEST(a_log_says_its_message),
    TEST(records_that_make_no_document_are_a_counted_drop),
    TEST(calls_in_an_order_that_makes_no_document_are_refused_when_sent),
    TEST(an_end_without_a_begin_is_refused_at_once_and_spoils_nothing),
    TEST(a_capture_that_is_freed_leaves_its_ticket_open),
    TEST(a_snapshot_is_never_larger_than_its_limit),
    TEST(a_capture_works_in_its_own_thread_only),
    TEST(templates_are_taken_apart_or_refused_with_the_position),
    END,
};
