/* What loading an application has read, by the record that it leaves. */
#include "core/files.h"
#include "core/problem.h"
#include "script/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct place {
    struct tg_config config;
    char folder[32];
    struct tg_files files;
    struct tg_problems problems;
};

static const char *path_of(const struct place *place, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    return path;
}

static void write_file(const struct place *place, const char *name, const char *text)
{
    FILE *file = fopen(path_of(place, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_int_equal(tg_config_init(&place->config), TG_OK);
    snprintf(place->folder, sizeof place->folder, "/tmp/tidegate-reading-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(mkdir(path_of(place, "consumers"), 0700), 0);
    tg_problems_init(&place->problems);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];
    tg_files_deinit(&place->files);
    tg_problems_deinit(&place->problems);
    tg_config_deinit(&place->config);
    snprintf(command, sizeof command, "rm -r %s", place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static enum tg_status load(struct place *place)
{
    struct tg_host *host;
    enum tg_status status =
        tg_host_load(&host, &place->config, place->folder, 1, &place->files, &place->problems);
    if (status == TG_OK) tg_host_close(host);
    return status;
}

static void expect_noted(const struct place *place, const char *name, enum tg_file_kind kind)
{
    const struct tg_file *file = tg_files_find(&place->files, tg_slice_of(path_of(place, name)));
    if (!file) fail_msg("%s was not noted", name);
    assert_int_equal(file->kind, kind);
}

#define CONSUMER "return require 'tidegate'.consumer { name = 'talk', path = '/ws/talk' }\n"

static void modules_are_noted_and_where_they_were_looked_for_before(void **state)
{
    struct place *place = *state;
    write_file(place, "consumers/talk.lua", "require 'words'\n" CONSUMER);
    write_file(place, "words.lua", "return {}\n");
    assert_int_equal(load(place), TG_OK);
    expect_noted(place, "consumers", TG_FILE_ENTRIES);
    expect_noted(place, "consumers/talk.lua", TG_FILE_READ);
    expect_noted(place, "consumers/words.lua", TG_FILE_ABSENT);
    expect_noted(place, "consumers/words/init.lua", TG_FILE_ABSENT);
    expect_noted(place, "words.lua", TG_FILE_READ);
    assert_null(tg_files_are_torn(&place->files));
}

static void a_folder_without_consumers_is_noted_to_have_none(void **state)
{
    struct place *place = *state;
    assert_int_equal(remove(path_of(place, "consumers")), 0);
    write_file(place, "talk.lua", CONSUMER);
    assert_int_equal(load(place), TG_OK);
    expect_noted(place, "consumers", TG_FILE_ABSENT);
    expect_noted(place, "talk.lua", TG_FILE_READ);
    assert_null(tg_files_differ(&place->files));
    assert_int_equal(mkdir(path_of(place, "consumers"), 0700), 0);
    assert_string_equal(tg_files_differ(&place->files), path_of(place, "consumers"));
}

static void what_modules_read_themselves_is_noted_and_what_they_write_is_not(void **state)
{
    struct place *place = *state;
    char text[1024];
    tg_config_set(&place->config, "spec", TG_SLICE("lua_libraries"), TG_SLICE("io,string"), NULL);
    snprintf(text, sizeof text,
             "local at = '%s/'\n"
             "io.open(at .. 'a.txt'):close()\n"
             "for _ in io.lines(at .. 'b.txt') do end\n"
             "io.open(at .. 'made.txt', 'w'):close()\n"
             "assert(not loadfile(at .. 'none.lua'))\n"
             "dofile(at .. 'c.lua')\n" CONSUMER,
             place->folder);
    write_file(place, "consumers/talk.lua", text);
    write_file(place, "a.txt", "a");
    write_file(place, "b.txt", "b");
    write_file(place, "c.lua", "return 1");
    assert_int_equal(load(place), TG_OK);
    expect_noted(place, "a.txt", TG_FILE_READ);
    expect_noted(place, "b.txt", TG_FILE_READ);
    expect_noted(place, "c.lua", TG_FILE_READ);
    expect_noted(place, "none.lua", TG_FILE_ABSENT);
    assert_null(tg_files_find(&place->files, tg_slice_of(path_of(place, "made.txt"))));
    assert_null(tg_files_are_torn(&place->files));
}

static void a_load_that_fails_has_its_record_too(void **state)
{
    struct place *place = *state;
    write_file(place, "consumers/talk.lua", "require 'missing'\n");
    write_file(place, "consumers/wrong.lua", "return (\n");
    assert_int_equal(load(place), TG_E_SCRIPT);
    expect_noted(place, "consumers/wrong.lua", TG_FILE_READ);
    expect_noted(place, "consumers/missing.lua", TG_FILE_ABSENT);
    assert_null(tg_files_differ(&place->files));
    write_file(place, "consumers/missing.lua", "return 1\n");
    assert_non_null(tg_files_differ(&place->files));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(modules_are_noted_and_where_they_were_looked_for_before),
        TEST(a_folder_without_consumers_is_noted_to_have_none),
        TEST(what_modules_read_themselves_is_noted_and_what_they_write_is_not),
        TEST(a_load_that_fails_has_its_record_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
