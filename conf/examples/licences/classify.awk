# classify.awk: prints the result of the stage classify.
#
# Two forms: machine-readable ("Format:" in the first paragraph; Debian calls it DEP-5), where the
# License: fields count, and free text, where the words do. A License: field that holds prose, or
# nothing but a name like "other", is read as text as well.

{
    sub(/\r$/, "")
}

NR <= 20 && tolower($0) ~ /^format(-specification)?:/ {
    is_dep5 = 1
    forget_text()
}

!is_dep5 {
    text_line($0)
    next
}

/^[^ \t#]/ {
    is_field = 0
}

/^[Ll]icen[sc]e:/ {
    value = $0
    sub(/^[^:]*:[ \t]*/, "", value)
    is_field = value ~ /^[ \t]*(other|custom|unknown|see-below|\*)?[ \t]*$/ || name_add(value) == 0
    if (is_field) {
        text_line("")
        text_line(value)
    }
    next
}

is_field {
    text_line($0 ~ /^[ \t]*\.?[ \t]*$/ ? "" : $0)
}

function text_line(line)
{
    # a short "License: NAME" in an otherwise free text
    if (!is_dep5 && line ~ /^[ \t*]*[Ll]icen[sc]e:[ \t]*[^ \t]/) {
        value = line
        sub(/^[^:]*:[ \t]*/, "", value)
        if (value ~ /^[A-Za-z][-A-Za-z0-9.]*\+?$/ && tolower(value) != "other")
            name_add(value)
    }
    if (line ~ /^[^A-Za-z0-9]*$/) {
        if (paragraph != "") {
            paragraphs[++paragraphs_len] = paragraph
            paragraph = ""
        }
        return
    }
    paragraph = paragraph " " line
    if (length(paragraph) > 8000) {
        paragraphs[++paragraphs_len] = paragraph
        paragraph = substr(paragraph, length(paragraph) - 400)
    }
}

function forget_text()
{
    paragraph = ""
    paragraphs_len = 0
    for (name in LICENCES)
        delete LICENCES[name]
}

# A plain insertion sort: there are few, and awk has none of its own.
function sorted(list,    n, i, name, swap)
{
    n = 0
    for (name in LICENCES) {
        for (i = ++n; i > 1 && list[i - 1] > name; i--)
            list[i] = list[i - 1]
        list[i] = name
    }
    return n
}

END {
    text_line("")
    for (i = 1; i <= paragraphs_len; i++)
        text_scan(paragraphs[i])
    text_end()
    n = sorted(names)
    line = ""
    for (i = 1; i <= n; i++)
        line = line (i > 1 ? "," : "") json_quote(names[i])
    printf "{\"format\":\"%s\",\"licences\":[%s],\"unclear\":%s}\n", is_dep5 ? "dep5" : "text", line, \
        (n ? "false" : "true")
}
