#include "calls.h"

#include <string.h>

/* So many numbers, and no more words than `and_then` besides. */
static int rows_numbers(words *from, uint32_t *numbers, size_t count, size_t and_then)
{
    size_t each;
    if (from->count - from->at < count || from->count - from->at > count + and_then) {
        return 0;
    }
    for (each = 0; each < count; each++) {
        uint64_t found;
        if (!read_number(next_word(from), UINT32_MAX, &found)) {
            return 0;
        }
        numbers[each] = (uint32_t)found;
    }
    return 1;
}

static const char *read_table(tables *into, words *from)
{
    const char *name = next_word(from);
    size_t each;
    table *made;
    if (name == NULL || into->count == MOST_ROWS || strlen(name) >= sizeof made->name) {
        return "no name, or no room for the table";
    }
    for (each = 0; each < into->count; each++) {
        if (strcmp(into->all[each].name, name) == 0) {
            return "there are two tables of this name";
        }
    }
    made = &into->all[into->count++];
    memset(made, 0, sizeof *made);
    strcpy(made->name, name);
    return rows_numbers(from, &made->line_count, 1, 0) ? NULL : "a table has a number of lines";
}

static const char *read_scope(table *into, words *from)
{
    static const char *const kinds[] = {"module", "function", "class", "lambda", "comprehension", NULL};
    const char *kind = next_word(from), *qualname, *dot;
    nonstop_scope *row = &into->scopes[into->scope_count];
    char *kept = into->qualnames[into->scope_count];
    uint32_t numbers[4];
    if (into->scope_count == MOST_ROWS || kind == NULL || !rows_numbers(from, numbers, 4, 1)) {
        return "a scope is a kind, four numbers and a qualified name";
    }
    qualname = next_word(from);
    row->kind = place_of(kind, kinds);
    if (qualname == NULL || strlen(qualname) >= sizeof into->qualnames[0] || row->kind < 0) {
        return "there is no scope of this kind, or it has no name";
    }
    row->first_line = numbers[0];
    row->last_line = numbers[1];
    row->parent = numbers[2];
    row->body_block = numbers[3];
    strcpy(kept, qualname);
    dot = strrchr(kept, '.');
    row->name = text(dot == NULL ? kept : dot + 1);
    row->qualname = text(kept);
    into->scope_count++;
    return NULL;
}

static const char *read_block(table *into, words *from)
{
    nonstop_block *row = &into->blocks[into->block_count];
    uint32_t numbers[4];
    if (into->block_count == MOST_ROWS || !rows_numbers(from, numbers, 4, 0)) {
        return "a block is four numbers";
    }
    row->first_line = numbers[0];
    row->last_line = numbers[1];
    row->parent = numbers[2];
    row->scope = numbers[3];
    into->block_count++;
    return NULL;
}

static const char *read_unit(table *into, words *from)
{
    static const char *const kinds[] = {"statement", "header", "with", "match", "lambda", "element", NULL};
    const char *kind = next_word(from), *flag;
    nonstop_unit *row = &into->units[into->unit_count];
    uint32_t numbers[4];
    if (into->unit_count == MOST_ROWS || kind == NULL || !rows_numbers(from, numbers, 4, 1)) {
        return "a unit is a kind and four numbers";
    }
    flag = next_word(from);
    row->kind = place_of(kind, kinds);
    if (row->kind < 0 || (flag != NULL && strcmp(flag, "no_code") != 0)) {
        return "there is no unit of this kind, or no such flag";
    }
    /* What control does within a unit is the backends' affair: no scenario of calls looks at it. */
    row->first_line = numbers[0];
    row->last_line = numbers[1];
    row->block = numbers[2];
    row->scope = numbers[3];
    row->flags = flag == NULL ? 0 : NONSTOP_UNIT_NO_CODE;
    into->unit_count++;
    return NULL;
}

const char *table_read(tables *into, const char *text)
{
    static const char *const kinds[] = {"table", "scope", "block", "unit", NULL};
    line said;
    const char *problem = line_read(&said, text);
    const int kind = problem == NULL ? place_of(next_word(&said.call), kinds) : -1;
    table *last = into->count == 0 ? NULL : &into->all[into->count - 1];
    if (problem != NULL || kind < 0) {
        return problem != NULL ? problem : "there are no such rows";
    }
    if (kind == 0) {
        return read_table(into, &said.call);
    }
    if (last == NULL) {
        return "there is no table yet";
    }
    return kind == 1 ? read_scope(last, &said.call)
           : kind == 2 ? read_block(last, &said.call)
                       : read_unit(last, &said.call);
}
