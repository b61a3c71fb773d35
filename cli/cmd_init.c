/* init: writes a small working pipeline into a directory; never over what is there. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/init_files.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"

static const struct init_file {
    const char *name;
    mode_t mode;
    void (*write)(struct buf *out);
} files[] = {
    {"stint.conf", 0644, init_write_conf},
    {"items.csv", 0644, init_write_items},
    {"handler.sh", 0755, init_write_handler},
};
#define FILES_LEN (sizeof(files) / sizeof(files[0]))

/* All of them are looked for before the first is written: all or nothing. */
static enum cli_exit refuse_existing(const char *directory, int fd)
{
    struct buf there CLEANUP(buf_fini) = BUF_INIT;
    size_t n = 0;
    for (size_t i = 0; i < FILES_LEN; i++)
        if (faccessat(fd, files[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            buf_addf(&there, "%s%s", n++ ? ", " : "", files[i].name);
    if (n == 0)
        return CLI_OK;
    return cli_fail(CLI_FAILED,
        "%s: %s %s there already; nothing was written. Take another "
        "directory: stint init DIR",
        directory, buf_str(&there), n == 1 ? "is" : "are");
}

static enum cli_exit write_file(const char *directory, int dir, const struct init_file *file)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    file->write(&text);
    int fd CLEANUP_FD =
        openat(dir, file->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file->mode);
    if (fd < 0) {
        int why = errno;
        return cli_fail(CLI_FAILED, "%s/%s: %s", directory, file->name, strerror(why));
    }
    /* What others may write to is refused later: a generous umask must not spoil the first try. */
    if (sys_write_all(fd, text.data, text.len) || fchmod(fd, file->mode) < 0) {
        int why = errno;
        return cli_fail(
            CLI_FAILED, "%s/%s: cannot be written: %s", directory, file->name, strerror(why));
    }
    return CLI_OK;
}

static void report(struct cli *cli, const char *directory)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    if (!cli->is_json) {
        cli_say(cli,
            "wrote %s: stint.conf (the pipeline), items.csv (%d items), handler.sh (the "
            "work)",
            directory, INIT_ITEMS);
        if (strcmp(directory, ".") == 0)
            cli_say(cli, "next:  stint run");
        else
            cli_say(cli, "next:  cd %s && stint run", directory);
        return;
    }
    json_init(&j, &text);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.init/1");
    json_str(&j, "directory", directory);
    json_open_array(&j, "files");
    for (size_t i = 0; i < FILES_LEN; i++)
        json_str(&j, NULL, files[i].name);
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static enum cli_exit run(struct cli *cli)
{
    const char *directory = cli->args->words[0];
    if (!*directory)
        return cli_fail(CLI_USAGE, "DIR is empty; name a directory, as in: stint init demo");
    if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
        int why = errno;
        return cli_fail(CLI_FAILED, "cannot create %s: %s", directory, strerror(why));
    }
    int fd CLEANUP_FD = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        return cli_fail(CLI_FAILED, "cannot open the directory %s: %s", directory, strerror(why));
    }
    enum cli_exit code = refuse_existing(directory, fd);
    for (size_t i = 0; i < FILES_LEN && code == CLI_OK; i++)
        code = write_file(directory, fd, &files[i]);
    if (code == CLI_OK)
        report(cli, directory);
    return code;
}

const struct command command_init = {
    .name = "init",
    .group = GROUP_START,
    .usage = "DIR",
    .help = "write a small working pipeline to begin with",
    .text = "Writes stint.conf, items.csv and handler.sh, each explained in its own comments.\n"
            "Existing files are never touched.\n\n"
            "  stint init demo && cd demo && stint run\n",
    .words = {WORD_DIR},
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
