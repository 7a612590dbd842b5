/* Watching real folders on a real loop. Each step waits for being woken, by what it expects or by a mark
 * after it, so that being woken too often shows as well. */
#include "net/places.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

struct place {
    struct tg_net_loop *loop;
    struct tg_places *places;
    char folder[32];
    int woken;
};

static void woken(void *user)
{
    ((struct place *)user)->woken++;
}

static const char *path_of(const struct place *place, const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", place->folder, name);
    return path;
}

static void write_file(const struct place *place, const char *name)
{
    FILE *file = fopen(path_of(place, name), "w");
    assert_non_null(file);
    fputs("text", file);
    fclose(file);
}

static void make_folder(const struct place *place, const char *name)
{
    assert_int_equal(mkdir(path_of(place, name), 0700), 0);
}

static void move(const struct place *place, const char *from, const char *to)
{
    assert_int_equal(rename(path_of(place, from), path_of(place, to)), 0);
}

static void add(struct place *place, const char *folder, const char *name)
{
    tg_places_add(place->places, path_of(place, folder), name);
}

static bool end(struct place *place)
{
    bool is_new;
    assert_int_equal(tg_places_end(place->places, &is_new), TG_OK);
    return is_new;
}

/* What has happened has been read when this returns: the kernel tells it to the loop at once. */
static int count_woken(struct place *place)
{
    place->woken = 0;
    uv_run(tg_net_loop_uv(place->loop), UV_RUN_NOWAIT);
    return place->woken;
}

static void expect_woken(struct place *place)
{
    assert_int_equal(count_woken(place), 1);
}

static void expect_silence(struct place *place)
{
    assert_int_equal(count_woken(place), 0);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tidegate-places-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(tg_net_loop_open(&place->loop, NULL), TG_OK);
    assert_int_equal(tg_places_open(&place->places, place->loop, woken, place, NULL), TG_OK);
    make_folder(place, "app");
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];
    tg_places_close(place->places);
    assert_true(tg_net_loop_close(place->loop));
    snprintf(command, sizeof command, "rm -r %s", place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void wakes_for_the_name_and_for_no_other(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    assert_true(end(place));
    write_file(place, "app/b.lua");
    expect_silence(place);
    write_file(place, "app/a.lua");
    expect_woken(place);
    unlink(path_of(place, "app/a.lua"));
    expect_woken(place);
}

static void wakes_once_for_all_that_happened(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    add(place, "app", "b.lua");
    end(place);
    for (int i = 0; i < 1000; i++) write_file(place, i % 2 ? "app/a.lua" : "app/b.lua");
    expect_woken(place);
    expect_silence(place);
}

/* As editors do it. */
static void wakes_when_another_file_is_put_in_its_place(void **state)
{
    struct place *place = *state;
    write_file(place, "app/a.lua");
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    end(place);
    write_file(place, "app/a.lua.new");
    expect_silence(place);
    move(place, "app/a.lua.new", "app/a.lua");
    expect_woken(place);
    move(place, "app/a.lua", "app/a.lua~");
    expect_woken(place);
    assert_int_equal(symlink("elsewhere", path_of(place, "app/a.lua")), 0);
    expect_woken(place);
}

static void wakes_for_whatever_happens_in_a_folder_but_what_is_hidden(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", NULL);
    end(place);
    write_file(place, "app/.a.lua.swp");
    expect_silence(place);
    make_folder(place, "app/chat");
    expect_woken(place);
    write_file(place, "app/chat/a.lua");
    expect_silence(place);
}

/* A log or a database beside the modules: it woke with each line, and as it is never closed whoever had saved
 * a module waited half a second for it. */
static void sleeps_while_something_else_is_written_there(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", NULL);
    end(place);
    FILE *log = fopen(path_of(place, "app/log.txt"), "w");
    expect_woken(place); /* it might be a folder */
    for (int i = 0; i < 3; i++) {
        fputs("line\n", log);
        fflush(log);
        expect_silence(place);
    }
    assert_false(tg_places_are_written(place->places));
    fclose(log);
    expect_silence(place);
    write_file(place, "app/a.lua");
    expect_woken(place);
}

static void wakes_when_a_folder_is_moved_and_knows_its_place_when_it_is_added_again(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    assert_true(end(place));
    move(place, "app", "old");
    expect_woken(place);
    make_folder(place, "app");
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    assert_true(end(place));
    write_file(place, "old/a.lua");
    expect_silence(place);
    write_file(place, "app/a.lua");
    expect_woken(place);
}

static void wakes_when_a_folder_is_deleted(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    end(place);
    rmdir(path_of(place, "app"));
    expect_woken(place);
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    assert_false(end(place));
}

static void what_is_added_again_is_watched_without_a_gap(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    end(place);
    write_file(place, "app/a.lua");
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    assert_false(end(place));
    expect_woken(place);
}

static void what_is_not_added_again_is_not_watched(void **state)
{
    struct place *place = *state;
    make_folder(place, "other");
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    add(place, "other", NULL);
    end(place);
    tg_places_begin(place->places);
    add(place, "app", "b.lua");
    assert_false(end(place));
    write_file(place, "other/x");
    write_file(place, "app/a.lua");
    expect_silence(place);
    write_file(place, "app/b.lua");
    expect_woken(place);
}

static void knows_that_a_file_is_being_written(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    add(place, "app", "b.lua");
    end(place);
    FILE *file = fopen(path_of(place, "app/a.lua"), "w");
    fputs("half", file);
    fflush(file);
    count_woken(place);
    assert_true(tg_places_are_written(place->places));
    write_file(place, "app/b.lua");
    count_woken(place);
    assert_true(tg_places_are_written(place->places));
    fclose(file);
    expect_woken(place);
    assert_false(tg_places_are_written(place->places));
    file = fopen(path_of(place, "app/a.lua"), "w");
    fputs("half", file);
    fflush(file);
    count_woken(place);
    unlink(path_of(place, "app/a.lua"));
    fclose(file);
    count_woken(place);
    assert_false(tg_places_are_written(place->places));
}

/* Between its being made and the first write to it a file is empty, which is right in Lua: a spec of edits by
 * chance was answered by a module without a value. */
static void knows_that_a_new_file_is_being_written_before_anything_stands_in_it(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "new.lua");
    end(place);
    FILE *file = fopen(path_of(place, "app/new.lua"), "w");
    count_woken(place);
    assert_true(tg_places_are_written(place->places));
    fclose(file);
    count_woken(place);
    assert_false(tg_places_are_written(place->places));
}

static void counts_what_has_happened(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    end(place);
    uint64_t before = tg_places_count_changes(place->places);
    write_file(place, "app/other.txt");
    assert_int_equal(tg_places_count_changes(place->places), before);
    write_file(place, "app/a.lua");
    assert_true(tg_places_count_changes(place->places) > before);
    assert_false(tg_places_are_written(place->places));
}

/* A link is made and never closed, as a file that somebody keeps open. */
static void waits_no_longer_for_what_is_not_closed_when_it_is_told_to(void **state)
{
    struct place *place = *state;
    tg_places_begin(place->places);
    add(place, "app", "link.lua");
    end(place);
    assert_int_equal(symlink("a.lua", path_of(place, "app/link.lua")), 0);
    count_woken(place);
    assert_true(tg_places_are_written(place->places));
    tg_places_forget_written(place->places);
    assert_false(tg_places_are_written(place->places));
}

/* Nobody closes a link: whoever waited for that would wait as long as he waits at all. */
static void a_link_is_not_written_for_long(void **state)
{
    struct place *place = *state;
    write_file(place, "a.lua");
    tg_places_begin(place->places);
    add(place, "app", "a.lua");
    end(place);
    assert_int_equal(symlink(path_of(place, "a.lua"), path_of(place, "app/a.lua")), 0);
    expect_woken(place);
    int waits = 0;
    while (tg_places_are_written(place->places) && waits < 10) waits++;
    assert_in_range(waits, 1, 5);
}

static enum tg_status open_and_add(void *context)
{
    struct place *place = context;
    struct tg_places *places = NULL;
    enum tg_status status = tg_places_open(&places, place->loop, woken, place, NULL);
    if (status != TG_OK) return status;
    tg_places_begin(places);
    tg_places_add(places, path_of(place, "app"), "a.lua");
    tg_places_add(places, place->folder, NULL);
    status = tg_places_end(places, NULL);
    tg_places_close(places);
    return status;
}

static void may_run_out_of_memory(void **state)
{
    tg_alloc_sweep(open_and_add, *state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(wakes_for_the_name_and_for_no_other),
        TEST(wakes_once_for_all_that_happened),
        TEST(wakes_when_another_file_is_put_in_its_place),
        TEST(wakes_for_whatever_happens_in_a_folder_but_what_is_hidden),
        TEST(sleeps_while_something_else_is_written_there),
        TEST(wakes_when_a_folder_is_moved_and_knows_its_place_when_it_is_added_again),
        TEST(wakes_when_a_folder_is_deleted),
        TEST(what_is_added_again_is_watched_without_a_gap),
        TEST(what_is_not_added_again_is_not_watched),
        TEST(knows_that_a_file_is_being_written),
        TEST(knows_that_a_new_file_is_being_written_before_anything_stands_in_it),
        TEST(counts_what_has_happened),
        TEST(waits_no_longer_for_what_is_not_closed_when_it_is_told_to),
        TEST(a_link_is_not_written_for_long),
        TEST(may_run_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
