#!/bin/sh
# Says whatever its key names, by stint.sh. See say_all.py.
set -eu
. "$LIB_SH"

handle()
{
    echo "printed, and nowhere in the protocol"
    case $(stint_get key) in
    messages)
        stint_progress 1 10
        stint_progress "" "" 2
        stint_checkpoint '{"offset":5}'
        stint_cost 0.5 7 'model "x"'
        stint_limit 30s
        stint_limit 30 api host
        stint_spawn x '{"a":1}' other 4
        stint_spawn y
        stint_log 'two
lines	and "more" \ é' warn
        ;;
    spawns)
        stint_cost 0.25 3
        stint_spawn "$(stint_get job)-1" "" other
        stint_spawn "$(stint_get job)-2" "" other
        ;;
    request)
        stint_done "$(stint_text "$(stint_get job) $(stint_get stage) $(stint_get attempt) $(
            stint_get data.text)$(stint_get inputs.first.n)")"
        ;;
    restored) stint_done "$(stint_json checkpoint || echo null)" ;;
    fail) stint_fail "no such page" ;;
    skip) stint_skip "not needed" ;;
    retry) stint_retry "HTTP 503" 30s ;;
    numbers)
        stint_cost .5
        stint_limit 1.
        stint_retry "HTTP 503" .25
        ;;
    retry-now) stint_retry again ;;
    snooze) stint_snooze "not yet" 600 ;;
    wait) stint_wait '[{"job":"o","key":"k"}]' continue ;;
    crash)
        false
        echo never here
        ;;
    esac
}

stint_serve handle 1.5
