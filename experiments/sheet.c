#include "experiments/sheet.h"
#include "harness/base/error.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const char *path)
{
    int code = errno == EACCES || errno == EPERM ? JRX_EPERMISSION : JRX_EIO;
    return jrx_fail(code, "%s: could not be written (%s); give another name", path, strerror(errno));
}

void ex_sheet_stdout(struct ex_sheet *sheet)
{
    *sheet = (struct ex_sheet){.path = "-", .to = stdout, .header = 1};
}

int ex_sheet_open(struct ex_sheet *sheet, const char *path)
{
    struct stat found;
    ex_sheet_stdout(sheet);
    if (path && !strcmp(path, "-"))
        return 0;
    sheet->path = path;
    sheet->to = NULL;
    if (!path)
        return 0;
    const char *name = path;
    if (stat(path, &found) || S_ISREG(found.st_mode)) {
        name = sheet->temporary;
        if ((size_t)snprintf(sheet->temporary, sizeof sheet->temporary, "%s.tmp", path) >= sizeof sheet->temporary)
            return jrx_fail(JRX_EINVAL, "%s: the name is too long", path);
    }
    sheet->to = fopen(name, "we");
    return sheet->to ? 0 : cannot(path);
}

void ex_sheet_text(struct ex_sheet *s, const char *name, const char *value)
{
    fprintf(s->to, "%s%s", s->column++ ? "," : "", s->header ? name : value);
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
    int bad = fflush(s->to) != 0 || ferror(s->to);
    bad = bad || (*s->temporary && fsync(fileno(s->to)) != 0);
    int code = errno;
    if (fclose(s->to) && !bad)
        bad = 1, code = errno;
    s->to = NULL;
    if (!bad && *s->temporary && rename(s->temporary, s->path))
        bad = 1, code = errno;
    if (!bad)
        return 0;
    if (*s->temporary)
        unlink(s->temporary);
    errno = code;
    return cannot(s->path);
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
