/* Watching a real folder on a real loop. Each step waits for what it expects to be told, and then for a mark,
 * so that what is told is exactly that. */
#include "net/watch.h"

#include "core/worker.h"

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

enum { TOLD_BYTES = 64 * 1024 };

struct place {
    struct tg_net_loop *loop;
    struct tg_net_watches *watches;
    struct tg_watch *watch;
    char folder[64];
    char told[TOLD_BYTES]; /* paths below the folder, a line each */
};

static void changed(void *user, const char *path)
{
    struct place *place = user;
    size_t at = strlen(place->told);
    const char *below = path ? path + strlen(place->folder) + 1 : "(lost)";
    assert_true(at + strlen(below) + 2 < sizeof place->told);
    sprintf(place->told + at, "%s\n", below);
}

static const char *path_of(const struct place *place, const char *name)
{
    static char paths[4][256];
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

/* Turns the loop until the mark, which is written now, has been told, and asserts what was told before it. */
static void expect_told(struct place *place, const char *expected)
{
    static int marks;
    char mark[32], line[34];
    snprintf(mark, sizeof mark, "mark-%d", ++marks);
    snprintf(line, sizeof line, "%s\n", mark);
    write_file(place, mark);
    char *found;
    while (!(found = strstr(place->told, line))) uv_run(tg_net_loop_uv(place->loop), UV_RUN_ONCE);
    *found = '\0';
    assert_string_equal(place->told, expected);
    place->told[0] = '\0';
}

static enum tg_status open_watch(struct place *place, const char *folder, struct tg_error *error)
{
    struct tg_watches *watches = tg_net_watches_core(place->watches);
    return watches->ops->open(watches, folder, changed, place, &place->watch, error);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tidegate-watch-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(tg_net_loop_open(&place->loop, NULL), TG_OK);
    assert_int_equal(tg_net_watches_open(&place->watches, place->loop), TG_OK);
    make_folder(place, "a");
    make_folder(place, "a/b");
    assert_int_equal(open_watch(place, place->folder, NULL), TG_OK);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];
    tg_net_watches_close(place->watches);
    assert_true(tg_net_loop_close(place->loop));
    snprintf(command, sizeof command, "rm -r %s", place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void tells_a_file_when_it_has_been_written(void **state)
{
    struct place *place = *state;
    FILE *file = fopen(path_of(place, "one.lua"), "w");
    fputs("half", file);
    fflush(file);
    expect_told(place, "");
    fclose(file);
    expect_told(place, "one.lua\n");
}

static void tells_files_in_folders_however_deep(void **state)
{
    struct place *place = *state;
    write_file(place, "a/b/deep.lua");
    expect_told(place, "a/b/deep.lua\n");
}

static void tells_what_is_moved_and_deleted(void **state)
{
    struct place *place = *state;
    write_file(place, "one.lua");
    expect_told(place, "one.lua\n");
    rename(path_of(place, "one.lua"), path_of(place, "a/two.lua"));
    expect_told(place, "one.lua\na/two.lua\n");
    unlink(path_of(place, "a/two.lua"));
    expect_told(place, "a/two.lua\n");
}

static void tells_a_link_when_it_is_made(void **state)
{
    struct place *place = *state;
    write_file(place, "one.lua");
    expect_told(place, "one.lua\n");
    assert_int_equal(symlink("one.lua", path_of(place, "soft.lua")), 0);
    assert_int_equal(link(path_of(place, "one.lua"), path_of(place, "hard.lua")), 0);
    expect_told(place, "soft.lua\nhard.lua\n");
}

static void watches_folders_that_come_later_and_tells_what_is_in_them(void **state)
{
    struct place *place = *state;
    make_folder(place, "new");
    make_folder(place, "new/er");
    expect_told(place, "");
    write_file(place, "new/er/one.lua");
    expect_told(place, "new/er/one.lua\n");

    char outside[] = "/tmp/tidegate-watch-XXXXXX", inside[80];
    assert_non_null(mkdtemp(outside));
    snprintf(inside, sizeof inside, "%s/two.lua", outside);
    fclose(fopen(inside, "w"));
    rename(outside, path_of(place, "moved"));
    expect_told(place, "moved/two.lua\n");
    write_file(place, "moved/three.lua");
    expect_told(place, "moved/three.lua\n");
}

static void knows_a_folder_by_its_new_name_once_it_was_renamed(void **state)
{
    struct place *place = *state;
    rename(path_of(place, "a"), path_of(place, "c"));
    expect_told(place, "a\n");
    write_file(place, "c/b/one.lua");
    expect_told(place, "c/b/one.lua\n");
}

static void tells_what_was_in_a_folder_that_is_deleted(void **state)
{
    struct place *place = *state;
    write_file(place, "a/b/one.lua");
    expect_told(place, "a/b/one.lua\n");
    unlink(path_of(place, "a/b/one.lua"));
    rmdir(path_of(place, "a/b"));
    expect_told(place, "a/b/one.lua\n");
}

static void tells_nothing_of_what_is_hidden(void **state)
{
    struct place *place = *state;
    write_file(place, ".one.lua.swp");
    make_folder(place, ".git");
    write_file(place, ".git/index");
    expect_told(place, "");
}

static void ends_at_a_link_that_leads_back(void **state)
{
    struct place *place = *state;
    assert_int_equal(symlink("..", path_of(place, "a/up")), 0);
    expect_told(place, "");
    write_file(place, "a/one.lua");
    expect_told(place, "a/one.lua\n");
}

static void knows_a_folder_that_is_removed_and_made_again(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 3; i++) {
        rmdir(path_of(place, "a/b"));
        rmdir(path_of(place, "a"));
        make_folder(place, "a");
        make_folder(place, "a/b");
    }
    expect_told(place, "");
    write_file(place, "a/b/one.lua");
    expect_told(place, "a/b/one.lua\n");
}

/* More changes, of what is hidden, than the kernel keeps. */
static void lose_changes(const struct place *place)
{
    unsigned most;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    assert_non_null(limit);
    assert_int_equal(fscanf(limit, "%u", &most), 1);
    fclose(limit);
    write_file(place, ".one");
    for (unsigned i = 0; i <= most; i += 2) {
        rename(path_of(place, ".one"), path_of(place, ".two"));
        rename(path_of(place, ".two"), path_of(place, ".one"));
    }
}

static void watches_anew_when_changes_were_lost(void **state)
{
    struct place *place = *state;
    lose_changes(place);
    make_folder(place, "late");
    rename(path_of(place, "a"), path_of(place, "c"));
    while (!strstr(place->told, "(lost)")) uv_run(tg_net_loop_uv(place->loop), UV_RUN_ONCE);
    expect_told(place, "(lost)\n");
    write_file(place, "late/one.lua");
    write_file(place, "c/b/two.lua");
    expect_told(place, "late/one.lua\nc/b/two.lua\n");
}

static void tells_nothing_once_it_is_closed(void **state)
{
    struct place *place = *state;
    struct tg_watches *watches = tg_net_watches_core(place->watches);
    struct tg_watch *first = place->watch;
    assert_int_equal(open_watch(place, path_of(place, "a"), NULL), TG_OK);
    watches->ops->close(watches, place->watch);
    place->watch = first;
    write_file(place, "a/one.lua");
    expect_told(place, "a/one.lua\n");
}

static void refuses_what_is_no_folder(void **state)
{
    struct place *place = *state;
    struct tg_error error;
    assert_int_equal(open_watch(place, path_of(place, "nowhere"), &error), TG_E_IO);
    assert_non_null(strstr(error.text, "nowhere cannot be watched: "));
}

static void survives_the_end_of_memory(void **state)
{
    struct place *place = *state;
    struct tg_watches *watches = tg_net_watches_core(place->watches);
    enum tg_status status;
    size_t n = 0;
    do {
        struct tg_error error;
        struct tg_watch *watch;
        tg_alloc_fail_at(++n);
        status = watches->ops->open(watches, place->folder, changed, place, &watch, &error);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        if (status == TG_OK) watches->ops->close(watches, watch);
        if (!has_failed) break;
    } while (true);
    assert_int_equal(status, TG_OK);
    assert_true(n > 3);
    expect_told(place, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_a_file_when_it_has_been_written, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_files_in_folders_however_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_is_moved_and_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_a_link_when_it_is_made, setup, teardown),
        cmocka_unit_test_setup_teardown(watches_folders_that_come_later_and_tells_what_is_in_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(knows_a_folder_by_its_new_name_once_it_was_renamed, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_was_in_a_folder_that_is_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_nothing_of_what_is_hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_at_a_link_that_leads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_a_folder_that_is_removed_and_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(watches_anew_when_changes_were_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_nothing_once_it_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_the_end_of_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
