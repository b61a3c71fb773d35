# json.awk: just enough JSON for a handler.
#
# json_parse(TEXT) fills JSON[PATH] with every value that is not an object or array, by its path:
# JSON["inputs.read.size"]. Of arrays and objects JSON[PATH "#"] is the number of members; the
# elements of an array are PATH.1, PATH.2 … Strings are decoded (\uXXXX to UTF-8).
# json_quote(TEXT) is TEXT as a JSON string. Runs with LC_ALL=C: a character is a byte.

function json_parse(text)
{
    split("", JSON)
    json_text = text
    json_value("")
}

function json_skip()
{
    sub(/^[ \t\r\n]+/, "", json_text)
}

function json_drop(n)
{
    json_text = substr(json_text, n + 1)
}

function json_value(path)
{
    json_skip()
    if (json_text ~ /^{/)
        json_members(path, "}")
    else if (json_text ~ /^\[/)
        json_members(path, "]")
    else if (json_text ~ /^"/)
        JSON[path] = json_string()
    else {
        match(json_text, /^[-+.0-9A-Za-z]*/)
        if (RLENGTH <= 0)
            json_fail()
        JSON[path] = substr(json_text, 1, RLENGTH)
        json_drop(RLENGTH)
    }
}

function json_members(path, closing,    n, name)
{
    json_drop(1)
    for (n = 0; ; n++) {
        json_skip()
        if (substr(json_text, 1, 1) == closing)
            break
        if (n > 0) {
            if (json_text !~ /^,/)
                json_fail()
            json_drop(1)
            json_skip()
        }
        name = n + 1
        if (closing == "}") {
            name = json_string()
            json_skip()
            if (json_text !~ /^:/)
                json_fail()
            json_drop(1)
        }
        json_value(path == "" ? name : path "." name)
    }
    json_drop(1)
    JSON[path "#"] = n
}

function json_string(    raw, out, at, c)
{
    if (!match(json_text, /^"([^"\\]|\\.)*"/))
        json_fail()
    raw = substr(json_text, 2, RLENGTH - 2)
    json_drop(RLENGTH)
    out = ""
    while ((at = index(raw, "\\")) > 0) {
        c = substr(raw, at + 1, 1)
        out = out substr(raw, 1, at - 1)
        raw = substr(raw, at + 2)
        if (c == "u") {
            out = out json_character(raw)
            raw = substr(raw, 5 + json_pair)
        } else
            out = out (c == "n" ? "\n" : c == "t" ? "\t" : c == "r" ? "\r" : \
                c == "b" ? "\b" : c == "f" ? "\f" : c)
    }
    return out raw
}

function json_hex(text,    i, n)
{
    for (i = n = 0; i < 4; i++)
        n = n * 16 + index("0123456789abcdef", tolower(substr(text, i + 1, 1))) - 1
    return n
}

# The character whose four hex digits text begins with, as UTF-8; json_pair is how many bytes
# more a second half of a surrogate pair took.
function json_character(text,    n)
{
    n = json_hex(text)
    json_pair = 0
    if (n >= 55296 && n < 56320 && substr(text, 5, 2) == "\\u") {
        n = 65536 + (n - 55296) * 1024 + json_hex(substr(text, 7)) - 56320
        json_pair = 6
    }
    if (n < 128)
        return sprintf("%c", n)
    if (n < 2048)
        return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
    if (n < 65536)
        return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
    return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, \
        128 + int(n / 64) % 64, 128 + n % 64)
}

function json_fail()
{
    print "this is no JSON that I understand: " substr(json_text, 1, 60) > "/dev/stderr"
    exit 65
}

function json_quote(text)
{
    gsub(/\\/, "&&", text)
    gsub(/"/, "\\\\&", text)
    gsub(/\t/, "\\\\t", text)
    gsub(/\n/, "\\\\n", text)
    gsub(/\r/, "\\\\r", text)
    gsub(/[\001-\037\177]/, "?", text)
    return "\"" text "\""
}
