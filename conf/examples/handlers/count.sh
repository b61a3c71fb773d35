#!/bin/sh
# Counts lines and words of a file, some lines at a time: POSIX shell.
set -eu
. ./stint.sh

step=$((${BLOCK:-65536} / 50 + 1)) # lines

count()
{
    file=$(stint_get key)
    [ -r "$file" ] || stint_fail "cannot read $file"
    lines=$(stint_get checkpoint.lines 0)
    words=$(stint_get checkpoint.words 0)
    started_at=$lines
    total=$(wc -l < "$file")
    while :; do
        found=$(tail -n +$((lines + 1)) -- "$file" | head -n "$step" | wc -lw)
        # shellcheck disable=SC2086 # two words
        set -- $found
        words=$((words + $2))
        lines=$((lines + $1))
        [ "$1" -eq "$step" ] || break # the last, which may lack its line break
        stint_progress "$lines" "$total"
        stint_checkpoint "{\"lines\":$lines,\"words\":$words}"
    done
    stint_done "{\"lines\":$lines,\"words\":$words,\"started_at\":$started_at}"
}

stint_serve count
