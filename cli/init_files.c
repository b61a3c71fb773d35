#include "cli/init_files.h"

#include <string.h>

#include "common/config/options.h"

static const char conf_text[] =
    "# A small pipeline that works as it is. Start it in this directory:\n"
    "#\n"
    "#   stint run              until Ctrl-C\n"
    "#   stint run --drain      until all work is at rest\n"
    "#\n"
    "# and look at it from another terminal: stint status, stint workers, stint results demo\n"
    "#\n"
    "# Comments are whole lines. Every key that there is stands at the end of this file.\n"
    "\n"
    "[pool]\n"
    "# All state is in this one file. Kill anything at any moment: nothing accepted is lost.\n"
    "database = stint.db\n"
    "# How many items are worked on at the same time.\n"
    "workers = 4\n"
    "\n"
    "[job demo]\n"
    "# Where items come from: each line of this file is one, its column \"key\" says which.\n"
    "# They are found when the pool starts; stint add demo KEY adds more at any time.\n"
    "discover = list items.csv\n"
    "# What every item goes through, one after the other.\n"
    "stages = measure classify\n"
    "# A try that fails for a passing reason is made again: after a short while, at most 3 times.\n"
    "max_attempts = 3\n"
    "backoff = 200ms..2s\n"
    "\n"
    "[stage demo.measure]\n"
    "# Any program will do. It gets one JSON object on standard input; what it prints is the "
    "result;\n"
    "# its exit status says how it went. See handler.sh.\n"
    "handler = exec ./handler.sh measure\n"
    "timeout = 30s\n"
    "\n"
    "[stage demo.classify]\n"
    "# Runs when measure is done, and finds its result in the request's \"inputs\".\n"
    "handler = exec ./handler.sh classify\n"
    "timeout = 30s\n";

static const char reference_text[] =
    "\n"
    "# ----------------------------------------------------------------------------------------\n"
    "# Every key, with what it does and its default\n"
    "# ----------------------------------------------------------------------------------------\n";

static const char handler_text[] =
    "#!/bin/sh\n"
    "# The handler of both stages: a process for each try, called as ./handler.sh STAGE.\n"
    "#\n"
    "# in   one JSON object on standard input, e.g. for the stage classify:\n"
    "#        "
    "{\"type\":\"run\",\"id\":7,\"job\":\"demo\",\"stage\":\"classify\",\"key\":\"picture-0004\",\n"
    "#         \"data\":{\"width\":\"640\",\"height\":\"480\"},\"attempt\":1,\n"
    "#         \"inputs\":{\"measure\":{\"pixels\":307200}}, ...}\n"
    "#      and STINT_JOB, STINT_ITEM, STINT_STAGE, STINT_ATTEMPT in the environment\n"
    "# out  standard output is the result: JSON, or else taken as text\n"
    "#      standard error is kept with a try that fails\n"
    "# exit 0 done   65 failed for good   99 not needed   anything else: try again later\n"
    "#\n"
    "# Nothing but sh is needed here. With more to read, use what you like: jq, python3, node ...\n"
    "\n"
    "request=$(cat)\n"
    "\n"
    "# field NAME: the first member of that name in the request, if it is a number or plain text.\n"
    "field() {\n"
    "    case $request in\n"
    "    *\"\\\"$1\\\":\"*) ;;\n"
    "    *) return 1 ;;\n"
    "    esac\n"
    "    rest=${request#*\"\\\"$1\\\":\"}\n"
    "    rest=${rest# }\n"
    "    rest=${rest#\\\"}\n"
    "    value=${rest%%[\\\",\\}]*}\n"
    "}\n"
    "\n"
    "measure() {\n"
    "    field width && width=$value\n"
    "    field height && height=$value\n"
    "    # Some items are wrong by design: no further try would help them.\n"
    "    if [ \"${width:-0}\" -eq 0 ]; then\n"
    "        echo \"$STINT_ITEM: width is 0, cannot be measured\" >&2\n"
    "        exit 65\n"
    "    fi\n"
    "    # Others fail the first time, as a busy service does: try again later.\n"
    "    case $STINT_ITEM in\n"
    "    *50)\n"
    "        if [ \"$STINT_ATTEMPT\" -eq 1 ]; then\n"
    "            echo \"$STINT_ITEM: busy, try again\" >&2\n"
    "            exit 75\n"
    "        fi\n"
    "        ;;\n"
    "    esac\n"
    "    echo \"{\\\"pixels\\\":$((width * height))}\"\n"
    "}\n"
    "\n"
    "classify() {\n"
    "    field pixels || exit 65\n"
    "    if [ \"$value\" -lt 100000 ]; then\n"
    "        size=small\n"
    "    elif [ \"$value\" -lt 1000000 ]; then\n"
    "        size=medium\n"
    "    else\n"
    "        size=large\n"
    "    fi\n"
    "    echo \"{\\\"pixels\\\":$value,\\\"size\\\":\\\"$size\\\"}\"\n"
    "}\n"
    "\n"
    "case $1 in\n"
    "measure) measure ;;\n"
    "classify) classify ;;\n"
    "*)\n"
    "    # 78 pauses the stage: no item can be blamed for a wrong configuration.\n"
    "    echo \"usage: handler.sh measure|classify\" >&2\n"
    "    exit 78\n"
    "    ;;\n"
    "esac\n";

/* The example file as comments: its own comments as they are, all else behind "# ". */
static void add_commented(struct buf *out, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len > 0 && *text != '#')
            buf_adds(out, "# ");
        buf_add(out, text, len);
        buf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

void init_write_conf(struct buf *out)
{
    struct buf example = BUF_INIT;
    buf_adds(out, conf_text);
    buf_adds(out, reference_text);
    options_write_example(&example);
    add_commented(out, buf_str(&example));
    buf_fini(&example);
}

void init_write_items(struct buf *out)
{
    static const int widths[] = {160, 320, 640, 800, 1024, 1920, 3840};
    static const int heights[] = {120, 240, 480, 600, 768, 1080, 2160};
    buf_adds(out, "key,width,height\n");
    for (int i = 1; i <= INIT_ITEMS; i++) {
        int n = i * 31 % 7;
        /* Every 111th is wrong: handler.sh says so, and the item ends as failed. */
        buf_addf(out, "picture-%04d,%d,%d\n", i, i % 111 ? widths[n] : 0, heights[n]);
    }
}

void init_write_handler(struct buf *out)
{
    buf_adds(out, handler_text);
}
