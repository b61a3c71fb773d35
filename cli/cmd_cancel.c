/* cancel: stage runs that are not complete end; what they run is killed. */
#include "cli/acting.h"
#include "cli/commands.h"

static enum cli_exit run(struct cli *cli)
{
    static const struct acting_words words = {
        .act = ACT_CANCEL,
        .infinitive = "cancel",
        .past = "cancelled",
        .concerns = "still open or failed",
        .undo = {.lead = "to have them queue again",
            .command = "retry",
            .statuses = "cancelled",
            .event = "run.cancelled"},
    };
    return acting_run(cli, &words);
}

static const struct flag flags[] = {FLAG_DRY_RUN, FLAG_YES, {.name = NULL}};

const struct command command_cancel = {
    .name = "cancel",
    .group = GROUP_ACT,
    .usage = "FILTER… [-n] [-y]",
    .help = "stage runs that are not complete end; what they run is killed",
    .text =
        "All but what is done or skipped: what waits, what is held, what failed. The handler of "
        "one\n"
        "that runs is killed with all it started, at once, and records nothing; if it was done "
        "just\n"
        "before, it stays done. What comes after a cancelled stage run stays blocked. Without a\n"
        "terminal to ask on, -y is needed; not so when job: and key: name one item. It may be\n"
        "interrupted, and run again for the rest. Exit status 5 if there is nothing to "
        "cancel.\n\n" FILTER_HELP "\n"
        "  stint cancel -n 'job:news age>7d'\n"
        "  stint cancel -y 'job:news status:failed,exhausted'\n"
        "  stint cancel 'job:news key:https://example.com/a'\n",
    .flags = flags,
    .words = {WORD_FILTER, WORD_FILTER},
    .words_min = 1,
    .words_max = WORDS_ANY,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
