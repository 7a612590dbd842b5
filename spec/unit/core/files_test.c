/* Real files in a folder of their own: what a load has read, and whether it still lies there. */
#include "core/files.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[32];
    struct tg_files files;
    char told[8192]; /* places, a line each, the folder as ~ */
};

static const char *path_of(const struct place *place, const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", place->folder, name);
    return path;
}

static void write_file(const struct place *place, const char *name, const char *text)
{
    FILE *file = fopen(path_of(place, name), "w");
    assert_non_null(file);
    fputs(text, file);
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

/* As the script layer reads a module. */
static enum tg_status read_module(struct place *place, const char *name)
{
    struct tg_file_stamp stamp;
    static char text[1 << 20];
    FILE *file = fopen(path_of(place, name), "r");
    assert_non_null(file);
    tg_file_stamp_take(&stamp, fileno(file));
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    return tg_files_note(&place->files, path_of(place, name), &stamp, (struct tg_slice){text, length});
}

static void look(struct place *place, const char *name)
{
    assert_int_equal(tg_files_look(&place->files, path_of(place, name)), TG_OK);
}

static enum tg_status note_entries(struct place *place, const char *folder)
{
    struct tg_entries entries;
    enum tg_status status = tg_entries_find(&entries, path_of(place, folder));
    const struct tg_entries *found = status == TG_OK ? &entries : NULL;
    if (status != TG_E_NO_MEMORY)
        status = tg_files_note_entries(&place->files, path_of(place, folder), found);
    tg_entries_deinit(&entries);
    return status;
}

static void assert_same(const struct place *place)
{
    assert_null(tg_files_differ(&place->files));
    assert_null(tg_files_are_torn(&place->files));
}

static void assert_differs(const struct place *place, const char *name)
{
    const char *path = tg_files_differ(&place->files);
    assert_non_null(path);
    assert_string_equal(path, path_of(place, name));
    assert_non_null(tg_files_are_torn(&place->files));
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tidegate-files-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];
    tg_files_deinit(&place->files);
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -r %s", place->folder, place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

/* ---- content ---- */

static void says_that_what_was_read_is_still_there(void **state)
{
    struct place *place = *state;
    write_file(place, "chat.lua", "return 1");
    write_file(place, "empty.lua", "");
    assert_int_equal(read_module(place, "chat.lua"), TG_OK);
    assert_int_equal(read_module(place, "empty.lua"), TG_OK);
    assert_int_equal(place->files.count, 2);
    assert_same(place);
}

static void names_the_file_whose_content_is_another_one(void **state)
{
    struct place *place = *state;
    write_file(place, "a.lua", "return 1");
    write_file(place, "b.lua", "return 2");
    read_module(place, "a.lua");
    read_module(place, "b.lua");
    write_file(place, "b.lua", "return 3");
    assert_differs(place, "b.lua");
}

static void a_touch_is_no_difference_but_what_was_read_may_have_been_torn(void **state)
{
    struct place *place = *state;
    write_file(place, "a.lua", "return 1");
    read_module(place, "a.lua");
    write_file(place, "new", "return 1");
    move(place, "new", "a.lua");
    assert_null(tg_files_differ(&place->files));
    assert_string_equal(tg_files_are_torn(&place->files), path_of(place, "a.lua"));
}

static void a_file_that_is_written_twice_while_it_is_loaded_differs_in_any_case(void **state)
{
    struct place *place = *state;
    write_file(place, "a.lua", "return 1");
    read_module(place, "a.lua");
    write_file(place, "a.lua", "return 2");
    read_module(place, "a.lua");
    write_file(place, "a.lua", "return 1");
    assert_differs(place, "a.lua");
}

static void long_files_are_compared_to_their_end(void **state)
{
    struct place *place = *state;
    enum { BYTES = 100000 };
    char *text = malloc(BYTES + 1);
    memset(text, 'a', BYTES);
    text[BYTES] = '\0';
    write_file(place, "long.lua", text);
    read_module(place, "long.lua");
    assert_same(place);
    text[BYTES - 1] = 'b';
    write_file(place, "long.lua", text);
    assert_differs(place, "long.lua");
    free(text);
}

/* The bytes of a module are hashed as they were read, those of other files as they lie there. */
static void looking_and_reading_come_to_the_same(void **state)
{
    struct place *place = *state;
    struct tg_files looked = {0};
    enum { BYTES = 3 * 16 * 1024 };
    char *text = calloc(1, BYTES + 1);
    memset(text, 'x', BYTES);
    write_file(place, "a.lua", text);
    read_module(place, "a.lua");
    assert_int_equal(tg_files_look(&looked, path_of(place, "a.lua")), TG_OK);
    const struct tg_slice path = tg_slice_of(path_of(place, "a.lua"));
    assert_true(tg_files_find(&looked, path)->hash == tg_files_find(&place->files, path)->hash);
    assert_null(tg_files_find(&looked, TG_SLICE("other.lua")));
    tg_files_deinit(&looked);
    free(text);
}

/* ---- what is not there ---- */

static void a_file_that_comes_where_it_was_looked_for_is_a_difference(void **state)
{
    struct place *place = *state;
    look(place, "words.lua");
    assert_same(place);
    write_file(place, "words.lua", "");
    assert_differs(place, "words.lua");
}

static void a_file_that_goes_is_a_difference(void **state)
{
    struct place *place = *state;
    write_file(place, "a.lua", "return 1");
    read_module(place, "a.lua");
    unlink(path_of(place, "a.lua"));
    assert_differs(place, "a.lua");
}

static void a_folder_in_place_of_a_file_is_a_difference(void **state)
{
    struct place *place = *state;
    write_file(place, "a.lua", "");
    make_folder(place, "b.lua");
    look(place, "a.lua");
    look(place, "b.lua");
    assert_same(place);
    unlink(path_of(place, "a.lua"));
    make_folder(place, "a.lua");
    assert_differs(place, "a.lua");
}

static void a_pipe_is_not_waited_for(void **state)
{
    struct place *place = *state;
    assert_int_equal(mkfifo(path_of(place, "pipe.lua"), 0600), 0);
    look(place, "pipe.lua");
    assert_same(place);
}

/* ---- entry modules ---- */

static void a_new_entry_module_is_a_difference_and_another_file_is_none(void **state)
{
    struct place *place = *state;
    make_folder(place, "consumers");
    make_folder(place, "consumers/chat");
    write_file(place, "consumers/echo.lua", "");
    assert_int_equal(note_entries(place, "consumers"), TG_OK);
    write_file(place, "consumers/notes.txt", "");
    write_file(place, "consumers/.hidden.lua", "");
    write_file(place, "consumers/tidegate.lua", "");
    make_folder(place, "consumers/public");
    write_file(place, "consumers/chat/words.lua", "");
    assert_same(place);
    write_file(place, "consumers/chat/init.lua", "");
    assert_differs(place, "consumers");
}

static void an_entry_module_that_goes_is_a_difference(void **state)
{
    struct place *place = *state;
    write_file(place, "echo.lua", "");
    write_file(place, "chat.lua", "");
    note_entries(place, ".");
    unlink(path_of(place, "chat.lua"));
    assert_non_null(tg_files_differ(&place->files));
}

/* As the loader does, which asks first whether there is a folder consumers/. */
static void a_folder_may_be_looked_at_before_its_entries(void **state)
{
    struct place *place = *state;
    make_folder(place, "consumers");
    look(place, "consumers");
    assert_int_equal(note_entries(place, "consumers"), TG_OK);
    assert_same(place);
    write_file(place, "consumers/echo.lua", "");
    assert_differs(place, "consumers");
}

static void a_folder_that_cannot_be_read_differs_when_it_can(void **state)
{
    struct place *place = *state;
    assert_int_equal(note_entries(place, "consumers"), TG_OK);
    assert_same(place);
    make_folder(place, "consumers");
    assert_differs(place, "consumers");
}

static void entries_come_in_byte_order_with_their_names(void **state)
{
    struct place *place = *state;
    struct tg_entries entries;
    write_file(place, "b.lua", "");
    make_folder(place, "a");
    write_file(place, "a/init.lua", "");
    make_folder(place, "c.lua");
    write_file(place, "c.lua/init.lua", "");
    assert_int_equal(tg_entries_find(&entries, place->folder), TG_OK);
    assert_int_equal(entries.count, 3);
    assert_string_equal(entries.items[0].name, "a");
    assert_string_equal(entries.items[0].path, path_of(place, "a/init.lua"));
    assert_string_equal(entries.items[1].name, "b");
    assert_string_equal(entries.items[2].name, "c.lua");
    tg_entries_deinit(&entries);
}

/* ---- places ---- */

static void take(void *context, const char *folder, const char *name)
{
    struct place *place = context;
    char line[512];
    size_t own = strlen(place->folder);
    if (strncmp(folder, place->folder, own) != 0) return; /* above it */
    snprintf(line, sizeof line, "~%s %s\n", folder + own, name ? name : "*");
    if (!strstr(place->told, line)) strcat(place->told, line);
}

static void assert_places(struct place *place, const char *expected)
{
    place->told[0] = '\0';
    assert_int_equal(tg_files_each_place(&place->files, take, place), TG_OK);
    assert_string_equal(place->told, expected);
}

static void a_file_is_found_out_about_in_its_folder_and_in_those_above(void **state)
{
    struct place *place = *state;
    make_folder(place, "app");
    write_file(place, "app/a.lua", "");
    look(place, "app/a.lua");
    assert_places(place, "~ app\n~/app a.lua\n");
}

static void what_is_missing_is_found_out_about_where_it_would_begin(void **state)
{
    struct place *place = *state;
    look(place, "app/deep/a.lua");
    assert_places(place, "~ app\n");
}

static void links_are_followed_and_may_be_put_elsewhere(void **state)
{
    struct place *place = *state;
    make_folder(place, "one");
    make_folder(place, "shared");
    write_file(place, "shared/words.lua", "");
    assert_int_equal(symlink("../shared/words.lua", path_of(place, "one/words.lua")), 0);
    assert_int_equal(symlink(path_of(place, "one"), path_of(place, "app")), 0);
    look(place, "app/words.lua");
    assert_places(place, "~ app\n~ one\n~/one words.lua\n~/one/.. shared\n~/one/../shared words.lua\n");
}

static void links_in_a_ring_end(void **state)
{
    struct place *place = *state;
    assert_int_equal(symlink("b", path_of(place, "a")), 0);
    assert_int_equal(symlink("a", path_of(place, "b")), 0);
    look(place, "a/x.lua");
    assert_places(place, "~ a\n~ b\n");
}

static void a_folder_of_entries_is_looked_at_for_all_that_happens_there(void **state)
{
    struct place *place = *state;
    make_folder(place, "consumers");
    make_folder(place, "consumers/chat");
    write_file(place, "consumers/echo.lua", "");
    note_entries(place, "consumers");
    place->told[0] = '\0';
    tg_files_each_place(&place->files, take, place);
    assert_non_null(strstr(place->told, "~/consumers *\n"));
    assert_non_null(strstr(place->told, "~/consumers/chat init.lua\n"));
}

/* ---- memory ---- */

static enum tg_status note_all(void *context)
{
    struct place *place = context;
    tg_files_deinit(&place->files);
    enum tg_status status = read_module(place, "echo.lua");
    if (status == TG_OK) status = tg_files_look(&place->files, path_of(place, "missing.lua"));
    if (status == TG_OK) status = note_entries(place, ".");
    return status;
}

static void noting_may_run_out_of_memory(void **state)
{
    struct place *place = *state;
    write_file(place, "echo.lua", "");
    tg_alloc_sweep(note_all, place);
    assert_same(place);
}

static void looking_again_without_memory_says_that_something_differs(void **state)
{
    struct place *place = *state;
    write_file(place, "echo.lua", "");
    note_entries(place, ".");
    tg_alloc_fail_at(1);
    bool differs = tg_files_differ(&place->files) != NULL;
    tg_alloc_fail_at(0);
    assert_true(differs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(says_that_what_was_read_is_still_there),
        TEST(names_the_file_whose_content_is_another_one),
        TEST(a_touch_is_no_difference_but_what_was_read_may_have_been_torn),
        TEST(a_file_that_is_written_twice_while_it_is_loaded_differs_in_any_case),
        TEST(long_files_are_compared_to_their_end),
        TEST(looking_and_reading_come_to_the_same),
        TEST(a_file_that_comes_where_it_was_looked_for_is_a_difference),
        TEST(a_file_that_goes_is_a_difference),
        TEST(a_folder_in_place_of_a_file_is_a_difference),
        TEST(a_pipe_is_not_waited_for),
        TEST(a_new_entry_module_is_a_difference_and_another_file_is_none),
        TEST(an_entry_module_that_goes_is_a_difference),
        TEST(a_folder_may_be_looked_at_before_its_entries),
        TEST(a_folder_that_cannot_be_read_differs_when_it_can),
        TEST(entries_come_in_byte_order_with_their_names),
        TEST(a_file_is_found_out_about_in_its_folder_and_in_those_above),
        TEST(what_is_missing_is_found_out_about_where_it_would_begin),
        TEST(links_are_followed_and_may_be_put_elsewhere),
        TEST(links_in_a_ring_end),
        TEST(a_folder_of_entries_is_looked_at_for_all_that_happens_there),
        TEST(noting_may_run_out_of_memory),
        TEST(looking_again_without_memory_says_that_something_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
