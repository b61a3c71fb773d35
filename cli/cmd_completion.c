/* completion: a shell's script, and what it asks when somebody presses the tab key. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/complete.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

/* bash cuts words at = and :, and wants back what follows the last of them. */
static const char script_bash[] =
    "# Completion of stint for bash: eval \"$(stint completion bash)\"\n"
    "_stint() {\n"
    "    local words=() word line prefix i\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if ((i > 1)) && { [[ $word == [=:]* ]] || [[ ${COMP_WORDS[i - 1]} == [=:] ]]; }; "
    "then\n"
    "            words[${#words[@]} - 1]+=$word\n"
    "        else\n"
    "            words+=(\"$word\")\n"
    "        fi\n"
    "    done\n"
    "    word=${words[${#words[@]} - 1]}\n"
    "    prefix=${word%\"${word##*[=:]}\"}\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :file) compopt -o default ;;\n"
    "        :dir) compopt -o dirnames ;;\n"
    "        *) line=${line%%$'\\t'*} && COMPREPLY+=(\"${line#\"$prefix\"}\") ;;\n"
    "        esac\n"
    "    done < <(\"${COMP_WORDS[0]}\" completion --candidates -- \"${words[@]}\" 2>/dev/null)\n"
    "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace\n"
    "    return 0\n"
    "}\n"
    "complete -F _stint stint\n";

static const char script_zsh[] =
    "#compdef stint\n"
    "# Completion of stint for zsh: a file _stint in a directory of $fpath, or\n"
    "# eval \"$(stint completion zsh)\" after compinit.\n"
    "_stint() {\n"
    "    local line name\n"
    "    local -a found\n"
    "    for line in \"${(@f)$(${words[1]} completion --candidates -- "
    "\"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
    "        case $line in\n"
    "        '') ;;\n"
    "        :file) _files ;;\n"
    "        :dir) _files -/ ;;\n"
    "        *) name=${line%%$'\\t'*}; found+=(\"${name//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    if (( $#found )); then _describe -t stint stint found; fi\n"
    "}\n"
    "if [[ $funcstack[1] == _stint ]]; then _stint \"$@\"; else compdef _stint stint; fi\n";

static const char script_fish[] =
    "# Completion of stint for fish: stint completion fish | source\n"
    "function __stint_candidates\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l found ($words[1] completion --candidates -- $words[2..-1] 2>/dev/null)\n"
    "    switch \"$found[1]\"\n"
    "        case ':file'\n"
    "            __fish_complete_path (commandline -ct)\n"
    "        case ':dir'\n"
    "            __fish_complete_directories (commandline -ct)\n"
    "        case '*'\n"
    "            string join \\n -- $found\n"
    "    end\n"
    "end\n"
    "complete -c stint -f -a '(__stint_candidates)'\n";

static const struct {
    const char *name, *script;
} shells[] = {{"bash", script_bash}, {"zsh", script_zsh}, {"fish", script_fish}};

/* Somebody is typing: no complaints about the configuration, and none about anything. */
static enum cli_exit candidates(struct cli *cli)
{
    const struct args *args = cli->args;
    struct buf problems CLEANUP(buf_fini) = BUF_INIT, out CLEANUP(buf_fini) = BUF_INIT;
    const char *conf = complete_config(args->words, args->words_len);
    if (conf)
        cli->conf = conf;
    cli_parse_files(cli, &problems);
    complete_words(args->words, args->words_len, cli->config, &out);
    cli_print(&out);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const struct args *args = cli->args;
    if (cli->is_json)
        return cli_fail(CLI_USAGE,
            "completion prints a script for a shell, which is no JSON; leave --json away. The "
            "table of commands and options: stint help --json");
    if (args_has(args, "candidates"))
        return candidates(cli);
    if (args->words_len == 0)
        return cli_fail(CLI_USAGE, "SHELL is missing; say one of: bash, zsh, fish");
    if (args->words_len > 1)
        return cli_fail(CLI_USAGE, "one SHELL is enough; see: stint completion --help");
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(args->words[0], shells[i].name) == 0) {
            (void)fputs(shells[i].script, stdout);
            return CLI_OK;
        }
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, args->words[0], strlen(args->words[0]));
    return cli_fail(CLI_USAGE, "no completion for the shell \"%s\"; there are: bash, zsh, fish",
        buf_str(&shown));
}

static const struct flag flags[] = {
    {.name = "candidates",
        .type = FLAG_BOOL,
        .help = "what the scripts ask: what may follow the words after --"},
    {.name = NULL},
};

const struct command command_completion = {
    .name = "completion",
    .group = GROUP_OPERATE,
    .usage = "bash|zsh|fish",
    .help = "the script that lets a shell complete stint's command lines",
    .text = "  eval \"$(stint completion bash)\"       in ~/.bashrc\n"
            "  eval \"$(stint completion zsh)\"        in ~/.zshrc, after compinit\n"
            "  stint completion fish | source         in config.fish\n",
    .flags = flags,
    .words = {WORD_SHELL},
    .words_max = WORDS_ANY,
    .run = run,
};
