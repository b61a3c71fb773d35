# stint.sh: what a handler needs in any POSIX shell, with nothing but awk, sed and tr. The same
# script serves `handler = exec ./count.sh` and `handler = resident ./count.sh`:
#   . ./stint.sh
#   count() {
#       [ -r "$(stint_get key)" ] || stint_fail "cannot read it"
#       stint_done "{\"words\":$(wc -w < "$(stint_get key)")}"
#   }
#   stint_serve count 1                                      # 1: its version
# An outcome ends the function. Without one its status decides as an exit status does (and what it
# printed is the result, of exec only). JSON is text here; stint_text makes a JSON string of a text.
#   stint_get PATH [PRESET]   a member of the request as text: key, data.depth, inputs.fetch.0.url;
#                             if it is null or not there: PRESET, or status 1
#   stint_json PATH           the same as JSON
#   stint_progress DONE [TOTAL [FAILED]]   stint_checkpoint JSON   stint_cost USD [TOKENS [OF]]
#   stint_limit AFTER [RESOURCE [KEY]]     stint_spawn KEY [JSON [JOB [PRIORITY]]]
#   stint_log TEXT [LEVEL]    stint_done [JSON]    stint_skip WHY    stint_fail WHY
#   stint_retry WHY [AFTER]   stint_snooze WHY [AFTER]   stint_wait JSON-ARRAY [fail|continue]

# The value at path $2 of the JSON on standard input, as $1: text or json; status 1: none, or null.
stint_read() {
    LC_ALL=C STINT_FORM=$1 STINT_PATH=$2 awk '
    function blanks() { while (p <= n && index(" \t\r\n", substr(s, p, 1))) p++ }
    function to(chars) { # p: on to the next of these
        while (p <= n && !match(substr(s, p, 512), chars)) p += 512
        return substr(s, p += RSTART - 1, 1)
    }
    function skip_string() { for (p++; to("[\"\\\\]") == "\\"; p += 2); p++ }
    function skip_value(   depth, c) {
        do {
            c = substr(s, p, 1)
            if (c == "\"") skip_string()
            else if (index("{[", c)) { depth++; p++ }
            else if (depth && index("}],:", c)) { depth -= index("}]", c) > 0; p++ }
            else to("[],:{}\"[]")
        } while (p <= n && depth > 0)
    }
    function more(x) { return sprintf("%c", 128 + int(x) % 64) }
    function utf8(u) {
        if (u < 128) return sprintf("%c", u)
        if (u < 2048) return sprintf("%c", 192 + int(u / 64)) more(u)
        if (u < 65536) return sprintf("%c", 224 + int(u / 4096)) more(u / 64) more(u)
        return sprintf("%c", 240 + int(u / 262144)) more(u / 4096) more(u / 64) more(u)
    }
    function hex(t,   i, u) { # its first four digits
        for (; i++ < 4; u = u * 16 + index("123456789abcdef", tolower(substr(t, i, 1)))); return u
    }
    function plain(t,   out, i, c, u) { # the text of a string without its quotes
        while (i = index(t, "\\")) {
            out = out substr(t, 1, i - 1); c = substr(t, i + 1, 1); t = substr(t, i + 2)
            if (c == "u") {
                u = hex(t); t = substr(t, 5)
                if (u >= 55296 && u < 56320) { # the first half of two
                    u = u * 1024 + hex(substr(t, 3)) - 56613888; t = substr(t, 7)
                }
                c = utf8(u)
            } else if (i = index("bfnrt", c)) c = substr("\b\f\n\r\t", i, 1)
            out = out c
        }
        return out t
    }
    function enter(name,   object, i, from, is_it) { # p: at a value; then at this member of it
        object = substr(s, p, 1) == "{"
        if (!object && substr(s, p, 1) != "[") return 0
        for (i = 0; p <= n; i++) {
            p++; blanks()
            if (index("}]", substr(s, p, 1))) return 0
            is_it = (i "") == (name "")
            if (object) {
                from = p + 1; skip_string(); is_it = plain(substr(s, from, p - 1 - from)) == name
                blanks(); p++; blanks()
            }
            if (is_it) return 1; skip_value(); blanks()
        }
    }
    {
        n = length(s = $0); p = 1; parts = split(ENVIRON["STINT_PATH"], part, "."); blanks()
        for (k = 1; k <= parts; k++) if (!enter(part[k])) exit 1
        from = p; skip_value(); value = substr(s, from, p - from); sub(/[ \t\r]+$/, "", value)
        if (value == "null" || value == "") exit 1
        if (ENVIRON["STINT_FORM"] == "text" && value ~ /^"/)
            value = plain(substr(value, 2, length(value) - 2))
        print value }'
}
stint_json() { # in a batch first of the item
    printf '%s\n' "$STINT_REQUEST" | stint_read "${2:-json}" "${STINT_WITHIN-}$1" ||
        { [ "${STINT_WITHIN-}" ] && printf '%s\n' "$STINT_REQUEST" | stint_read "${2:-json}" "$1"; }
}
stint_get() { stint_json "$1" text || { [ $# -gt 1 ] && printf '%s\n' "${2-}"; }; }
stint_text() { # control characters other than tab and line break are left out
    printf '"%s"' "$(printf '%s\n' "$1" | LC_ALL=C tr -d '\001-\010\013-\037' | LC_ALL=C sed \
        's/[\\"]/\\&/g; s/	/\\t/g; $!s/$/\\n/' | tr -d '\n')"
}
# A member of a message, unless it is empty: as it is (.5 and 5. are no JSON); a text; a time.
stint_m() { case ${2-} in '') ;; .*) stint_m "$1" "0$2" ;; *.) stint_m "$1" "${2}0" ;;
    *) printf ',"%s":%s' "$1" "$2" ;; esac; }
stint_mt() { [ -z "${2-}" ] || stint_m "$1" "$(stint_text "${2-}")"; }
stint_ma() { case ${2-} in *[!0-9.]*|*.*.*) stint_mt "$1" "$2" ;; *) stint_m "$1" "${2-}" ;; esac; }
stint_say() { printf '{"type":"%s"%s%s}\n' "$1" "$STINT_ABOUT" "${2-}" >&3; }
stint_end() { stint_say "$1" "${2-}"; exit "$STINT_SAID"; }
stint_progress() {
    stint_say progress "$(stint_m "done" "${1-}"; stint_m total "${2-}"; stint_m failed "${3-}")"
}
stint_checkpoint() { stint_say checkpoint ",\"data\":$1"; }
stint_cost() { stint_say cost "$(stint_m usd "$1"; stint_m tokens "${2-}"; stint_mt of "${3-}")"; }
stint_limit() { # its key is not the item's
    (STINT_ABOUT=$STINT_ID; stint_say limit "$(stint_ma retry_after "$1"
        stint_mt resource "${2-}"; stint_mt key "${3-}")")
}
stint_spawn() {
    stint_say spawn ",\"items\":[{\"key\":$(stint_text "$1"; stint_m data "${2-}"
        stint_mt job "${3-}"; stint_m priority "${4-}")}]"
}
stint_log() { stint_say log "$(stint_mt text "${1-}"; stint_mt level "${2-}")"; }
stint_done() { stint_end "done" ",\"result\":${1:-null}"; }
stint_skip() { stint_end skip "$(stint_mt why "${1-}")"; }
stint_fail() { stint_end fail "$(stint_mt why "${1-}")"; }
stint_retry() { stint_end retry "$(stint_mt why "${1-}"; stint_ma after "${2-}")"; }
stint_snooze() { stint_end snooze "$(stint_mt why "${1-}"; stint_ma after "${2-}")"; }
stint_wait() { stint_end wait ",\"items\":$1$(stint_mt on_failure "${2-}")"; }
stint_run() { # one item, in a shell of its own; without an outcome its status says it
    (set "$STINT_SET"; "$1") </dev/null
    case $? in
    "$STINT_SAID") ;;
    0) (stint_done) ;;
    99) (stint_skip) ;;
    6[4-8] | 70 | 100) (stint_fail "$1 failed for good") ;;
    *) (stint_retry "$1 failed") ;;
    esac
}
stint_serve() {
    STINT_SAID=111 STINT_ABOUT='' STINT_SET=+e
    case $- in *e*) STINT_SET=-e ;; esac; set +e # its status is looked at
    [ "${STINT_CONTROL_FD-}" ] || { exec 3>&1 1>&2; stint_say hello ",\"protocol\":1$(
        stint_mt version "${2-}")"; }
    while read -r STINT_REQUEST; do
        [ "$(stint_get type)" = run ] || continue
        STINT_ID=",\"id\":$(stint_json id)" STINT_N=0 STINT_WITHIN=
        while STINT_KEY=$(stint_json "items.$STINT_N.key"); do
            STINT_WITHIN=items.$STINT_N. STINT_ABOUT="$STINT_ID,\"key\":$STINT_KEY"
            stint_run "$1"
            STINT_N=$((STINT_N + 1)) STINT_WITHIN=
        done
        STINT_ABOUT=$STINT_ID
        case $STINT_N${STINT_CONTROL_FD-} in
        0) stint_run "$1" ;;
        0?*) STINT_SAID=0; set "$STINT_SET"; "$1" </dev/null; exit ;;
        esac
    done; return 0
}
