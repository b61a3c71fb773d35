/* options-text: what the build and people want out of the option table: the commented example file,
 * or the body of stint.conf(5) for scdoc. Not installed. Usage: options-text example|man. */
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/config/options.h"

int main(int argc, char **argv)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    if (argc == 2 && strcmp(argv[1], "example") == 0)
        options_write_example(&text);
    else if (argc == 2 && strcmp(argv[1], "man") == 0)
        options_write_man(&text);
    else
        return 2;
    return fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0 ? 0 : 1;
}
