#include "cli/commands.h"

#include <assert.h>
#include <string.h>

#include "common/base/text.h"

#define SUBS_MAX 16

static const char *const color_words[] = {"auto", "always", "never", NULL};

const char *const group_titles[GROUP_COUNT] = {
    [GROUP_START] = "start",
    [GROUP_WORK] = "work",
    [GROUP_LOOK] = "look",
    [GROUP_ACT] = "act",
    [GROUP_OPERATE] = "operate",
};

const struct flag global_flags[] = {
    {.name = "config",
        .letter = 'c',
        .type = FLAG_TEXT,
        .value = "CONF",
        .kind = WORD_FILE,
        .help = "the configuration (default: ./stint.conf, then /etc/stint/stint.conf)"},
    {.name = "json", .type = FLAG_BOOL, .help = "JSON on standard output; lists as NDJSON"},
    {.name = "quiet", .letter = 'q', .type = FLAG_BOOL, .help = "no talk, only data and errors"},
    {.name = "verbose", .letter = 'v', .type = FLAG_BOOL, .help = "more talk"},
    {.name = "color",
        .type = FLAG_WORD,
        .value = "WHEN",
        .words = color_words,
        .help = "auto, always or never"},
    {.name = "help", .letter = 'h', .type = FLAG_BOOL, .help = "this help"},
    {.name = "version", .type = FLAG_BOOL, .help = "the version"},
    {.name = NULL},
};

/* In the order of help and man page; within a group as people meet them. */
const struct command *const commands[] = {
    &command_init,
    &command_check,
    &command_try,
    &command_handler_check,
    &command_run,

    &command_add,
    &command_discover,
    &command_results,
    &command_wait,

    &command_status,
    &command_ls,
    &command_show,
    &command_events,
    &command_logs,
    &command_workers,
    &command_resources,

    &command_retry,
    &command_cancel,
    &command_pause,
    &command_resume,

    &command_reload,
    &command_config,
    &command_stop,
    &command_doctor,
    &command_db,
    &command_completion,
    &command_help,
    &command_version,
};
const size_t commands_len = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < commands_len; i++)
        if (strcmp(commands[i]->name, name) == 0 ||
            (commands[i]->alias && strcmp(commands[i]->alias, name) == 0))
            return commands[i];
    return NULL;
}

bool command_takes_filter(const struct command *command)
{
    return command && command->words[0] == WORD_FILTER;
}

const char *command_nearest(const char *name)
{
    const char *names[2 * sizeof(commands) / sizeof(commands[0])];
    size_t len = 0;
    for (size_t i = 0; i < commands_len; i++) {
        names[len++] = commands[i]->name;
        if (commands[i]->alias)
            names[len++] = commands[i]->alias;
    }
    return text_nearest(name, names, len);
}

const char *command_word(const struct command *sub)
{
    const char *blank = strchr(sub->name, ' ');
    return blank ? blank + 1 : sub->name;
}

const struct command *command_sub(const struct command *command, const char *word)
{
    for (size_t i = 0; i < command->subs_len; i++)
        if (strcmp(command_word(&command->subs[i]), word) == 0)
            return &command->subs[i];
    return NULL;
}

const char *command_sub_nearest(const struct command *command, const char *word)
{
    const char *names[SUBS_MAX];
    assert(command->subs_len <= SUBS_MAX);
    for (size_t i = 0; i < command->subs_len; i++)
        names[i] = command_word(&command->subs[i]);
    return text_nearest(word, names, command->subs_len);
}
