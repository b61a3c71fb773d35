/* stint-plugin: hosts one C shared object as a handler, and speaks the resident protocol for it on
 * standard input and output (docs/handlers.md, stint-plugin.h). Started by a worker, or by hand:
 *   stint-plugin FILE.so [DATA]
 * Whatever the object does can end this process only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/json_scan.h"
#include "worker/plugin/hosted.h"
#include "worker/plugin/object.h"
#include "worker/plugin/path.h"

enum { EXIT_OK = 0, EXIT_USAGE = 2 };

static const char usage[] = "usage: stint-plugin FILE.so [DATA]\n"
                            "Hosts a C plugin as a resident handler; DATA is JSON, given to its "
                            "open(). See stint-handler(7).\n";

struct host {
    struct wire wire;
    const struct stint_plugin *plugin;
    void *state;
};

/* For exit() inside the plugin; NULL: it is not its turn. */
static const char *calling;

static void note_exit(void)
{
    if (calling)
        fprintf(stderr, "stint-plugin: the plugin called exit() in its %s()\n", calling);
}

static int complain(const char *text)
{
    fprintf(stderr, "stint-plugin: %s\n", text);
    return EX_CONFIG;
}

static void run_item(struct host *host, const struct ask *ask, const char *item)
{
    struct hosted h;
    hosted_init(&h, &host->wire, ask, item);
    if (ask->is_cancelled) {
        stint_retry(&h.shown, "cancelled before it began", -1);
    } else {
        calling = "run";
        host->plugin->run(&h.shown, host->state);
        calling = NULL;
    }
    if (!h.has_outcome)
        stint_retry(&h.shown, "the plugin returned without an outcome", -1);
    hosted_fini(&h);
}

static void serve_ask(struct host *host, const struct ask *ask)
{
    const char *start;
    size_t len;
    if (!path_find(ask->line, "items", &start, &len)) {
        run_item(host, ask, NULL);
        return;
    }
    for (size_t i = 0;; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "items.%zu", i);
        CLEANUP_FREE char *item = path_json(ask->line, path);
        if (!item)
            return;
        run_item(host, ask, item);
    }
}

static int open_plugin(struct host *host, const char *data)
{
    int code = 0;
    calling = "open";
    if (host->plugin->open)
        code = host->plugin->open(data, &host->state);
    calling = NULL;
    if (code == 0)
        return EXIT_OK;
    fprintf(stderr, "stint-plugin: the plugin's open() returned %d: it cannot work here\n", code);
    return EX_CONFIG;
}

static int serve(struct host *host, const char *data)
{
    struct err err = {""};
    const struct ask *ask;
    int code = open_plugin(host, data);
    if (code != EXIT_OK)
        return code;
    if (hosted_hello(&host->wire, host->plugin->version, &err) != RC_OK)
        return complain(err.text);
    while ((ask = wire_next(&host->wire)))
        serve_ask(host, ask);
    calling = "close";
    if (host->plugin->close)
        host->plugin->close(host->state);
    calling = NULL;
    return EXIT_OK;
}

static bool is_json(const char *text)
{
    CLEANUP(buf_fini) struct buf compact = BUF_INIT;
    return json_minify(text, strlen(text), &compact);
}

static int host_object(const char *path, const char *data)
{
    struct host host = {.plugin = NULL};
    struct err err = {""};
    if (data && !is_json(data))
        return complain("what is given to the plugin is not JSON; quote it as one word, like "
                        "'{\"depth\":2}'");
    if (wire_open(&host.wire, &err) != RC_OK)
        return complain(err.text);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)atexit(note_exit);
    int code = EX_CONFIG;
    if (object_open(path, &host.plugin, &err) != RC_OK)
        (void)complain(err.text);
    else
        code = serve(&host, data);
    wire_close(&host.wire);
    return code;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("stint-plugin %s\n", STINT_VERSION) < 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return printf("%s", usage) < 0;
    if (argc < 2 || argc > 3 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return host_object(argv[1], argc == 3 ? argv[2] : NULL);
}
