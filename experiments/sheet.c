#include "experiments/sheet.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

void ex_sheet_stdout(struct ex_sheet *sheet)
{
    *sheet = (struct ex_sheet){.path = "-", .to = stdout, .header = 1};
}

int ex_sheet_open(struct ex_sheet *sheet, const char *path)
{
    ex_sheet_stdout(sheet);
    if (path && !strcmp(path, "-"))
        return 0;
    sheet->path = path;
    sheet->to = NULL;
    if (!path)
        return 0;
    const char *name = path;
    if (jrx_file_replaceable(path)) {
        name = sheet->temporary;
        if ((size_t)snprintf(sheet->temporary, sizeof sheet->temporary, "%s.tmp", path) >= sizeof sheet->temporary)
            return jrx_fail(JRX_EINVAL, "%s: the name is too long", path);
    }
    sheet->to = fopen(name, "we");
    return sheet->to ? 0 : jrx_file_error(path, "could not be opened to write", "give another name");
}

void ex_sheet_text(struct ex_sheet *s, const char *name, const char *value)
{
    const char *text = s->header ? name : value;
    if (s->column++)
        fputc(',', s->to);
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, s->to);
        return;
    }
    fputc('"', s->to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', s->to);
        fputc(*text, s->to);
    }
    fputc('"', s->to);
}

void ex_sheet_integer(struct ex_sheet *s, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    ex_sheet_text(s, name, text);
}

void ex_sheet_real(struct ex_sheet *s, const char *name, double value)
{
    char text[40] = "";
    if (isfinite(value))
        snprintf(text, sizeof text, "%.17g", value);
    ex_sheet_text(s, name, text);
}

void ex_sheet_end_row(struct ex_sheet *s)
{
    fputc('\n', s->to);
    s->column = s->header = 0;
}

int ex_sheet_close(struct ex_sheet *s)
{
    if (s->to == stdout || !s->to)
        return 0;
    int bad = fflush(s->to) != 0 || ferror(s->to) || jrx_file_sync(fileno(s->to)), why = errno;
    if (fclose(s->to) && !bad)
        bad = 1, why = errno;
    s->to = NULL;
    if (!bad && *s->temporary && (rename(s->temporary, s->path) || jrx_file_sync_folder(s->path)))
        bad = 1, why = errno;
    if (!bad)
        return 0;
    if (*s->temporary)
        unlink(s->temporary);
    errno = why;
    return jrx_file_error(s->path, "could not be written", "free some space or give another name");
}

void ex_sheet_drop(struct ex_sheet *s)
{
    if (s->to == stdout || !s->to)
        return;
    fclose(s->to);
    if (*s->temporary)
        unlink(s->temporary);
    s->to = NULL;
}
