/* retry: failed, exhausted and cancelled stage runs go again, from there. */
#include "cli/acting.h"
#include "cli/commands.h"

static enum cli_exit run(struct cli *cli)
{
    static const struct acting_words words = {
        .act = ACT_RETRY,
        .infinitive = "retry",
        .past = "retried",
        .concerns = "failed, exhausted or cancelled",
        .undo = {.lead = "to stop them again",
            .command = "cancel",
            .statuses = "pending,blocked,retry_later,in_progress",
            .event = "run.retried"},
    };
    return acting_run(cli, &words);
}

static const struct flag flags[] = {FLAG_DRY_RUN, FLAG_YES, {.name = NULL}};

const struct command command_retry = {
    .name = "retry",
    .group = GROUP_ACT,
    .usage = "FILTER… [-n] [-y]",
    .help = "failed, exhausted, cancelled stage runs go again, from there",
    .text = "They have all their tries again, keep their checkpoint, and queue as if added now; "
            "what is\n"
            "done before them stays done. Without a terminal to ask on, -y is needed; not so when "
            "job:\n"
            "and key: name one item. It may be interrupted, and run again for the rest. Exit "
            "status 5 if\n"
            "there is nothing to retry.\n\n" FILTER_HELP "\n"
            "  stint retry -n 'job:news error:timeout'\n"
            "  stint retry -y 'job:news stage:fetch status:exhausted'\n"
            "  stint retry 'job:news key:https://example.com/a'\n",
    .flags = flags,
    .words = {WORD_FILTER, WORD_FILTER},
    .words_min = 1,
    .words_max = WORDS_ANY,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
