#include "harness/base/error.h"
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char message[512];

int jrx_fail(int code, const char *format, ...)
{
    char text[sizeof message]; /* an argument may be the last message itself */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) /* it may quote a damaged file, and stays one line */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    snprintf(message, sizeof message, "%s", text);
    return code;
}

const char *jrx_last_error(void)
{
    return message;
}

int jrx_exit_status(int code)
{
    switch (code) {
    case JRX_OK: return 0;
    case JRX_EINVAL: return 2;
    case JRX_EUNAVAILABLE:
    case JRX_EPERMISSION: return 3;
    case JRX_EQUALITY: return 4;
    case JRX_EINTERRUPTED: return 130;
    default: return 1;
    }
}
