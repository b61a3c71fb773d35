"""Configurations with one fault each, and what `stint check` must say of it: its table of rows
(name, text of stint.conf, the lines on standard error). DIR stands for the test's directory."""

JOB = "[job a]\nhandler = builtin noop\n"
TWO = ("[job a]\nstages = x y\n[stage a.x]\nhandler = builtin noop\n"
       "[stage a.y]\nhandler = builtin noop\n")
RATE = "[resource api]\nrate = 10/s\n"
NUMBER = "expected a number like 4, or a range like 2..16"
KINDS = ("expected exec PROGRAM ARGS, resident PROGRAM ARGS, plugin FILE.so, shell COMMAND, or "
         "builtin noop, sleep DURATION or fail TEXT")
RATES = "expected N/s, N/m, N/h or N/d, like 10/s or 5000/h"
NAMES = "expected 1 to 64 of A-Z, a-z, 0-9, _ and -"

WRONG = [
    # the file as a text
    ("key_before_a_section",
     "workers = 2\n",
     ['stint.conf:1: "workers" stands before the first section; expected a line like '
      "[pool] above it"]),
    ("no_equals_sign",
     "[pool]\nworkers 2\n",
     ['stint.conf:2: "workers 2" is neither a section nor KEY = VALUE (a comment '
      "begins with #)"]),
    ("no_equals_sign_crlf",
     "[pool]\r\nworkers 2\r\n",
     ['stint.conf:2: "workers 2" is neither a section nor KEY = VALUE (a comment '
      "begins with #)"]),
    ("section_not_closed",
     "[pool\nworkers = 2\n",
     ['stint.conf:1: "[pool" is no section; expected a line like [job NAME]']),
    ("text_behind_a_section",
     "[pool] # mine\nworkers = 2\n",
     ['stint.conf:1: "[pool] # mine" has text behind the section; a comment stands '
      "on a line of its own"]),
    ("bom_then_wrong_key",
     "\ufeff[pool]\nwokers = 2\n",
     ['stint.conf:2: unknown key "wokers" in [pool]; did you mean "workers"?']),
    ("crlf_value_without_unit",
     "[pool]\r\nheartbeat_interval = 5\r\n",
     ['stint.conf:2: heartbeat_interval: "5" has no unit; did you mean 5s? (ms, s, '
      "m, h or d)"]),
    ("tabs_around_a_wrong_value",
     "[pool]\n\tworkers\t=\ttwo\t\n",
     ['stint.conf:2: workers: "two" is no number and no range; ' + NUMBER]),
    ("no_final_newline",
     "[pool]\nworkers = two",
     ['stint.conf:2: workers: "two" is no number and no range; ' + NUMBER]),
    ("nul_byte",
     "[pool]\nworkers = 2\0\n",
     ["stint.conf:2: there is a NUL byte; a configuration is text",
      'stint.conf:2: workers: "2?" is no number and no range; ' + NUMBER]),
    ("latin1_in_a_version",
     b"[job a]\nhandler = builtin noop\nversion = \xe4\n",
     ['stint.conf:3: version: "\\xe4" has a control character or is not UTF-8; '
      "expected a text of at most 128 characters"]),
    ("escape_sequence_in_a_key",
     "[pool]\n\x1b[31mred = 1\n",
     ['stint.conf:2: "\\x1b[31mred = 1" is neither a section nor KEY = VALUE (a '
      "comment begins with #)"]),
    ("indented_key_becomes_part_of_a_value",
     "[pool]\nlog = stderr\n    workers = 4\n",
     ['stint.conf:3: "workers = 4" is indented further than the key above: that '
      "makes it a part of its value; indent it less, or, if it is meant so, leave out the "
      "blank before the =",
      'stint.conf:2: log: "stderr workers = 4" is not known; expected stderr, syslog '
      "or file PATH"]),
    ("long_line_wrong_key",
     "[pool]\nwokers = " + "x" * 5000 + "\n",
     ['stint.conf:2: unknown key "wokers" in [pool]; did you mean "workers"?']),
    ("long_line_wrong_value",
     "[pool]\nworkers = " + "9" * 100000 + "\n",
     ['stint.conf:2: workers: "' + "9" * 80 + '" is no number and no range; expected a number like 4, or a range like 2..16']),
    ("long_key",
     "[pool]\n" + "k" * 65 + " = 1\n",
     ['stint.conf:2: "' + "k" * 64 + '…" is neither a section nor KEY = VALUE (a comment begins with #)']),
    ("empty_title",
     "[]\nx = 1\n",
     ["stint.conf:1: unknown section []; expected [pool], [resource NAME], [job "
      "NAME], [stage JOB.NAME] or [template NAME]"]),
    # sections
    ("unknown_section",
     "[thing x]\n",
     ["stint.conf:1: unknown section [thing x]; expected [pool], [resource NAME], "
      "[job NAME], [stage JOB.NAME] or [template NAME]"]),
    ("nearly_a_section",
     "[jobs a]\n",
     ["stint.conf:1: unknown section [jobs a]; did you mean [job NAME]?"]),
    ("pool_with_a_name",
     "[pool main]\n",
     ["stint.conf:1: [pool main] has a name, but there is only one pool; expected "
      "[pool]"]),
    ("job_without_a_name",
     "[job]\n",
     ['stint.conf:1: "" in [job] is no name; ' + NAMES]),
    ("job_with_a_bad_name",
     "[job a b]\n",
     ['stint.conf:1: "a b" in [job a b] is no name; ' + NAMES]),
    ("job_with_a_long_name",
     "[job " + "n" * 65 + "]\nhandler = builtin noop\n",
     ['stint.conf:1: "' + "n" * 65 + '" in [job ' + "n" * 65 + '] is no name; expected 1 to 64 of A-Z, a-z, 0-9, _ and -']),
    ("reserved_name",
     "[job @discover]\nhandler = builtin noop\n",
     ['stint.conf:1: "@discover" in [job @discover] is no name; ' + NAMES]),
    ("stage_without_a_job",
     "[stage fetch]\nhandler = builtin noop\n",
     ["stint.conf:1: [stage fetch] does not say which job; expected [stage JOB.NAME]"]),
    ("stage_of_an_unknown_job",
     JOB.replace("[job a]", "[job news]") + "[stage nwes.x]\nhandler = builtin noop\n",
     ['stint.conf:3: [stage nwes.x] is of an unknown job "nwes"; did you mean "news"?']),
    ("stage_not_in_the_list",
     TWO + "[stage a.z]\nhandler = builtin noop\n",
     ['stint.conf:7: [stage a.z]: job a has no stage "z"; add it to its "stages = "']),
    ("stage_nearly_in_the_list",
     "[job a]\nstages = fetch\n[stage a.fetch]\nhandler = builtin noop\n[stage a.fecth]\ntimeout = 1s\n",
     ['stint.conf:5: [stage a.fecth]: job a has no stage "fecth"; did you mean '
      '"fetch"?']),
    ("section_twice",
     JOB + JOB,
     ["stint.conf:3: the section [job a] is there twice; the first is at stint.conf:1"]),
    # keys
    ("unknown_key",
     "[pool]\nquux = 1\n",
     ['stint.conf:2: unknown key "quux" in [pool]; the commented example stint.conf '
      "lists all"]),
    ("nearly_a_key",
     JOB + "max_attemps = 3\n",
     ['stint.conf:3: unknown key "max_attemps" in [job a]; did you mean '
      '"max_attempts"?']),
    ("key_of_another_section",
     "[pool]\npriority = 1\n",
     ['stint.conf:2: unknown key "priority" in [pool]; it belongs to [job NAME]']),
    ("key_of_a_resource_in_a_job",
     JOB + "rate = 1/s\n",
     ['stint.conf:3: unknown key "rate" in [job a]; it belongs to [resource NAME]']),
    ("key_twice",
     "[pool]\nworkers = 2\nworkers = 2\n",
     ['stint.conf:3: the key "workers" is there twice in [pool]; the first is in '
      "line 2"]),
    ("upper_case_key",
     "[pool]\nWorkers = 2\n",
     ['stint.conf:2: unknown key "Workers" in [pool]; did you mean "workers"?']),
    ("empty_value",
     "[pool]\nworkers =\n",
     ["stint.conf:2: workers: has no value; " + NUMBER]),
    ("empty_value_of_blanks",
     JOB + "timeout =   \t\n",
     ["stint.conf:3: timeout: has no value; expected a duration like 30s or 5m"]),
    # values
    ("duration_without_a_unit",
     JOB + "timeout = 30\n",
     ['stint.conf:3: timeout: "30" has no unit; did you mean 30s? (ms, s, m, h or d)']),
    ("duration_of_an_unknown_unit",
     JOB + "timeout = 3w\n",
     ['stint.conf:3: timeout: "3w" is no duration; expected a number and ms, s, m, h '
      "or d, like 30s or 1.5h"]),
    ("negative_duration",
     JOB + "timeout = -3s\n",
     ['stint.conf:3: timeout: "-3s" is no duration; expected a number and ms, s, m, '
      "h or d, like 30s or 1.5h"]),
    ("duration_too_big",
     JOB + "timeout = 366d\n",
     ['stint.conf:3: timeout: "366d" is too big (at most 365d); expected a duration '
      "like 30s or 5m"]),
    ("duration_with_a_comment",
     JOB + "timeout = 30s ; half a minute\n",
     ['stint.conf:3: timeout: "30s ; half a minute" is no duration; expected a '
      "number and ms, s, m, h or d, like 30s or 1.5h; comments stand on lines of "
      "their own"]),
    ("percentage_without_its_sign",
     JOB + "jitter = 30\n",
     ['stint.conf:3: jitter: "30" has no unit; did you mean 30%?']),
    ("percentage_too_big",
     JOB + "jitter = 101%\n",
     ['stint.conf:3: jitter: "101%" is no percentage; expected 0% to 100%']),
    ("size_of_an_unknown_unit",
     JOB + "output_size = 1X\n",
     ['stint.conf:3: output_size: "1X" is no size; expected bytes, or a number and '
      "K, M or G"]),
    ("size_too_big",
     JOB + "stderr_tail = 1M\n",
     ['stint.conf:3: stderr_tail: "1M" is too big (at most 64K); expected a size of '
      "at most 64K, like 4K"]),
    ("workers_not_a_number",
     "[pool]\nworkers = many\n",
     ['stint.conf:2: workers: "many" is no number and no range; ' + NUMBER]),
    ("workers_zero",
     "[pool]\nworkers = 0\n",
     ['stint.conf:2: workers: "0" is too small (at least 1); ' + NUMBER]),
    ("workers_backwards",
     "[pool]\nworkers = 8..2\n",
     ['stint.conf:2: workers: "8..2" begins with the bigger number; ' + NUMBER]),
    ("workers_half_a_range",
     "[pool]\nworkers = 2..\n",
     ['stint.conf:2: workers: "2.." is no number and no range; ' + NUMBER]),
    ("enum_unknown",
     "[pool]\ndurability = fast\n",
     ['stint.conf:2: durability: "fast" is not known; expected full or normal']),
    ("enum_in_upper_case",
     JOB + "merge = Keep\n",
     ['stint.conf:3: merge: "Keep" is not known; expected overwrite or keep']),
    ("factor_too_small",
     JOB + "backoff_factor = 0.5\n",
     ['stint.conf:3: backoff_factor: "0.5" is too small; expected a number from 1 to '
      "100, like 2 or 1.5"]),
    ("factor_in_another_locale",
     JOB + "backoff_factor = 1,5\n",
     ['stint.conf:3: backoff_factor: "1,5" is no number; expected a number from 1 to '
      "100, like 2 or 1.5"]),
    ("backoff_backwards",
     JOB + "backoff = 1h..1s\n",
     ['stint.conf:3: backoff: "1h..1s" begins with the longer wait; expected BASE or '
      "BASE..MAX, like 60s or 60s..1h"]),
    ("priority_out_of_bounds",
     JOB + "priority = 1000001\n",
     ['stint.conf:3: priority: "1000001" is too big (at most 1000000); expected a '
      "whole number from -1000000 to 1000000"]),
    ("heartbeats_too_near",
     "[pool]\nheartbeat_interval = 6s\n",
     ["stint.conf:2: heartbeat_timeout is shorter than twice heartbeat_interval; "
      "expected at least 12s"]),
    ("log_to_nowhere",
     "[pool]\nlog = journal\n",
     ['stint.conf:2: log: "journal" is not known; expected stderr, syslog or file '
      "PATH"]),
    ("secret_where_none_may_be",
     "[pool]\nsocket = @file:key\n",
     ["stint.conf:2: socket: a secret cannot stand here; only env.NAME takes one, "
      "and gives it to the handler"]),
    # handlers, jobs
    ("no_handler",
     "[job a]\n",
     ['stint.conf:1: job a has nothing to run; add "handler = exec PROGRAM" or '
      '"stages = NAME NAME"']),
    ("no_handler_of_a_stage",
     "[job a]\nstages = x\n",
     ['stint.conf:2: stage a.x has no handler; add "handler = exec PROGRAM" to '
      "[stage a.x]"]),
    ("handler_of_unknown_kind",
     "[job a]\nhandler = exce ./x\n",
     ['stint.conf:2: handler: unknown kind of handler "exce"; did you mean "exec"?; ' + KINDS]),
    ("handler_without_a_program",
     "[job a]\nhandler = exec\n",
     ["stint.conf:2: handler: exec needs a program; " + KINDS]),
    ("handler_with_an_open_quote",
     "[job a]\nhandler = exec x 'y\n",
     ["stint.conf:2: handler: a quote is not closed; " + KINDS]),
    ("handler_unknown_builtin",
     "[job a]\nhandler = builtin nop\n",
     ['stint.conf:2: handler: unknown builtin "nop"; did you mean "noop"?; ' + KINDS]),
    ("handler_of_a_job_with_stages",
     TWO.replace("stages = x y\n", "stages = x y\nhandler = builtin noop\n"),
     ["stint.conf:3: handler stands in a job that has stages; it belongs to [stage "
      "a.x]"]),
    ("stages_with_commas",
     "[job a]\nstages = x, y\n",
     ['stint.conf:2: stages: "x," is no name (letters, digits, _ and -, at most 64); '
      "expected names divided by blanks, like: fetch parse store"]),
    ("stages_twice_the_same",
     "[job a]\nstages = x x\n",
     ['stint.conf:2: stages: "x" is there twice; expected names divided by blanks, '
      "like: fetch parse store"]),
    ("discover_unknown",
     JOB + "discover = lst x\n",
     ['stint.conf:3: discover: unknown strategy "lst"; did you mean "list"?; '
      "expected list FILE, glob PATTERN, exec COMMAND or manual"]),
    ("discover_without_an_argument",
     JOB + "discover = list\n",
     ["stint.conf:3: discover: list needs a file; expected list FILE, glob PATTERN, "
      "exec COMMAND or manual"]),
    ("discover_key_of_another_strategy",
     JOB + "discover = glob *\ndiscover.key = id\n",
     ["stint.conf:4: discover.key is not for discover = glob, but for: list exec"]),
    # resources
    ("rate_without_a_unit",
     "[resource api]\nrate = 10\n",
     ['stint.conf:2: rate: "10" has no unit; ' + RATES]),
    ("rate_of_an_unknown_unit",
     "[resource api]\nrate = 10/w\n",
     ['stint.conf:2: rate: "10/w" has no unit that is known; ' + RATES]),
    ("rate_of_nothing",
     "[resource api]\nrate = 0/s\n",
     ['stint.conf:2: rate: "0/s" would never let anything start; ' + RATES]),
    ("rate_too_fast",
     "[resource api]\nrate = 2000000/s\n",
     ['stint.conf:2: rate: "2000000/s" is more than 1000000/s; ' + RATES]),
    ("burst_zero",
     RATE + "burst = 0\n",
     ['stint.conf:3: burst: "0" is too small (at least 1); expected a whole number '
      "of at least 1"]),
    ("resource_without_a_rate",
     "[resource api]\nburst = 1\n",
     ['stint.conf:1: resource api has no rate; add a line like "rate = 10/s"']),
    ("resource_unknown",
     RATE + JOB + "resource = apo\n",
     ['stint.conf:5: resource: there is no resource "apo"; did you mean "api"?']),
    ("resource_twice",
     RATE + JOB + "resource = api api\n",
     ['stint.conf:5: resource: "api" is there twice']),
    # templates and variables
    ("template_unknown",
     "[template slow]\n" + JOB + "use = solw\n",
     ['stint.conf:4: use: there is no template "solw"; did you mean "slow"?']),
    ("template_in_a_circle",
     "[template s]\nuse = t\n[template t]\nuse = s\n",
     ["stint.conf:2: use: templates go round in a circle: s → t → s"]),
    ("template_with_a_key_of_the_pool",
     "[template t]\nworkers = 2\n",
     ['stint.conf:2: unknown key "workers" in [template t]; it belongs to [pool]']),
    ("template_with_a_key_of_a_job_in_a_stage",
     "[template t]\npriority = 1\n" + TWO + "use = t\n",
     ['stint.conf:9: use: template t has the key "priority" (stint.conf:2), which '
      "belongs to [job NAME], not to [stage a.y]"]),
    ("variable_with_a_bad_name",
     JOB + "env.MY-KEY = x\n",
     ['stint.conf:3: env.MY-KEY: "MY-KEY" is no name of a variable; expected '
      "letters, digits and _, no digit first"]),
    ("variable_of_stint",
     JOB + "env.STINT_JOB = x\n",
     ["stint.conf:3: env.STINT_JOB: names that begin with STINT_ are stint's own; "
      "take another one"]),
    ("secret_that_is_not_there",
     JOB + "env.KEY = @file:nowhere\n",
     ["stint.conf:3: env.KEY: there is no DIR/nowhere; write the secret there and "
      "type: chmod 600 DIR/nowhere"]),
    ("secret_without_a_path",
     JOB + "env.KEY = @file:\n",
     ["stint.conf:3: env.KEY: @file: needs a path; expected @file:PATH"]),
    ("secret_with_a_wrong_word",
     JOB + "env.A = @flie:keys/api\nenv.B = @FILE:keys/api\nenv.C = @file keys/api\n"
     "env.D = @here\n",
     [f'stint.conf:{3 + i}: env.{name}: "@{word}" is no kind of secret; did you mean "@file:"? '
      "a text that begins with @ is written with two: @@…"
      for i, (name, word) in enumerate((("A", "flie"), ("B", "file"), ("C", "file")))] +
     ["stint.conf:6: env.D: a value that begins with @ names a secret, @file:PATH or @cred:NAME; "
      "a text that begins with @ is written with two: @@…"]),
    ("values_nearly_right",
     JOB + "timeout = 10 sec\ngrace = 5S\nstderr_tail = 1m\noutput_size = 1MB\n"
     "[resource r]\nrate = 0.5/s\n[resource q]\nrate = 1.5/m\n[resource p]\nrate = 0.7x/s\n"
     "[job b]\nhandler = builtin sleep\ntimeout = 1000000000000d\n"
     "[job c]\nhandler = builtin sleep 5x\noutput_size = 99999999999G\n",
     ['stint.conf:8: rate: "0.5/s" is no whole number; did you mean 30/m?; ' + RATES,
      'stint.conf:10: rate: "1.5/m" is no whole number; did you mean 90/h?; ' + RATES,
      'stint.conf:12: rate: "0.7x/s" does not begin with a whole number; ' + RATES,
      'stint.conf:3: timeout: "10 sec" is no duration; did you mean 10s? (ms, s, m, h or d)',
      'stint.conf:4: grace: "5S" is no duration; did you mean 5s? (ms, s, m, h or d)',
      'stint.conf:5: stderr_tail: "1m" is no size; did you mean 1M? (bytes, K, M or G)',
      'stint.conf:6: output_size: "1MB" is no size; did you mean 1M? (bytes, K, M or G)',
      "stint.conf:14: handler: builtin sleep needs a duration, like sleep 1s; " + KINDS,
      'stint.conf:15: timeout: "1000000000000d" is too long for a duration',
      'stint.conf:17: handler: "5x" is no duration; expected a number and ms, s, m, h or d, like '
      "30s or 1.5h",
      'stint.conf:18: output_size: "99999999999G" is too big for a size']),
    ("keys_of_a_section_twice",
     JOB + "[resource r]\nrate = 1/s\n[resource r]\nrate = x/s\nbrust = 1\n"
     "[pool]\n[pool]\nworkres = 2\n[job a]\ntimeuot = 1s\n",
     ["stint.conf:5: the section [resource r] is there twice; the first is at stint.conf:3",
      "stint.conf:9: the section [pool] is there twice; the first is at stint.conf:8",
      "stint.conf:11: the section [job a] is there twice; the first is at stint.conf:1",
      'stint.conf:6: rate: "x/s" does not begin with a whole number; ' + RATES,
      'stint.conf:7: unknown key "brust" in [resource r]; did you mean "burst"?',
      'stint.conf:10: unknown key "workres" in [pool]; did you mean "workers"?',
      'stint.conf:12: unknown key "timeuot" in [job a]; did you mean "timeout"?']),
    ("unknown_stage_beside_a_wrong_list",
     "[job a]\nstages = fe/tch parse\n[stage a.fetch]\nhandler = builtin noop\n"
     "[stage a.parse]\nhandler = builtin noop\n[stage a.other]\nhandler = builtin noop\n",
     ['stint.conf:2: stages: "fe/tch" is no name (letters, digits, _ and -, at most 64); '
      "expected names divided by blanks, like: fetch parse store",
      'stint.conf:7: [stage a.other]: job a has no stage "other"; add it to its "stages = "']),
    ("credential_with_a_path",
     JOB + "env.KEY = @cred:a/b\n",
     ['stint.conf:3: env.KEY: "a/b" is no name of a credential; expected @cred:NAME, '
      "as in LoadCredential="]),
]
