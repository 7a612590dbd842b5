/* What commands say to a person: in colours only on a terminal, and never with NO_COLOR. */
#ifndef TG_APP_PRINT_H
#define TG_APP_PRINT_H

#include "core/problem.h"

#include <stdbool.h>
#include <stdio.h>

/* Whether what is written to `stream` may hold the codes of colours. */
bool tg_print_has_colour(FILE *stream);

/* What is wrong with an application, to standard error. */
void tg_print_problems(const struct tg_problems *problems);

/* The same text, for who prints it otherwise. */
void tg_print_write_problems(const struct tg_problems *problems, struct tg_buf *text);

/* For a program that serves: never waits. Lines that nobody takes are dropped. */
void tg_print_if_taken(FILE *stream, const struct tg_buf *text);

#endif
