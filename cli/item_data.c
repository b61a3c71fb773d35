#include "cli/item_data.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/base/sys.h"

enum cli_exit item_data_read(const char *text, struct buf *ret)
{
    struct err err = {""};
    enum rc rc = RC_OK;
    if (strcmp(text, "-") == 0)
        rc = sys_read_fd(STDIN_FILENO, DATA_MAX_BYTES, ret, &err);
    else if (text[0] == '@')
        rc = sys_read_file(text + 1, DATA_MAX_BYTES, ret, &err);
    else
        buf_adds(ret, text);
    if (rc)
        return cli_fail(CLI_FAILED, "--data: %s", err.text);
    json_error_t why;
    json_t *value = json_loadb(buf_str(ret), ret->len,
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (!value)
        return cli_fail(CLI_USAGE,
            "--data is not valid JSON: %s (line %d, column %d). Text needs "
            "quotes of its own: --data '{\"name\":\"x\"}'",
            why.text, why.line, why.column);
    json_decref(value);
    return CLI_OK;
}
