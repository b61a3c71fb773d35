# names.awk: licence names as people write them in License: fields, made one.
#
# name_add(EXPRESSION) adds every licence of e.g. "GPL-2+ with OpenSSL exception or Artistic, and
# MIT/X11" to LICENCES and returns how many names it had; 0 when this is no list of names but prose.
# licence_add(NAME) adds one; LICENCES[NAME] is set, each name once.

function licence_add(name)
{
    if (name == "" || name in LICENCES)
        return
    LICENCES[name] = 1
}

function name_add(expression,    list, n, i, added)
{
    n = name_split(expression, list)
    for (i = 1; i <= n; i++)
        if (list[i] ~ /[^ ] [^ ]+ [^ ]+ [^ ]/)
            return 0
    for (i = 1; i <= n; i++)
        if (list[i] != "") {
            licence_add(name_canonical(list[i]))
            added++
        }
    return added
}

function name_split(text, list,    n, i)
{
    gsub(/_(or|and)_/, " or ", text)
    gsub(/[()]/, " ", text)
    gsub(/[ \t]+/, " ", text)
    text = " " text " "
    gsub(/ [Aa][Nn][Dd]\/[Oo][Rr] /, "|", text)
    gsub(/,? ([Aa][Nn][Dd]|[Oo][Rr]) /, "|", text)
    gsub(/,? ([Aa][Nn][Dd]|[Oo][Rr]) /, "|", text)
    gsub(/[,;|]/, "|", text)
    n = split(text, list, "|")
    for (i = 1; i <= n; i++)
        list[i] = name_trim(list[i])
    return n
}

# Exceptions widen a licence; here only the licence counts.
function name_trim(name)
{
    sub(/ [Ww][Ii][Tt][Hh]( .*)?$/, "", name)
    sub(/^ *([Ee]ither|[Tt]he) /, "", name)
    gsub(/^ +| +$/, "", name)
    sub(/( [Ll]icen[cs]es?)?[.:]*$/, "", name)
    return name
}

function name_canonical(name,    s)
{
    s = tolower(name)
    gsub(/[ _]/, "-", s)
    sub(/^gnu-/, "", s)
    if (s ~ /^[al]?gpl/)
        return name_gnu(name, s)
    if (s ~ /^(the-)?(mit|expat)(\/(x11|expat|mit))?$/)
        return "MIT"
    if (s ~ /^(free)?bsd-?[1-4](-|c|$)/ || s ~ /^[1-4]-clause-bsd/) {
        match(s, /[1-4]/)
        return "BSD-" substr(s, RSTART, 1) "-clause"
    }
    if (s ~ /^(new|modified|revised)-bsd/)
        return "BSD-3-clause"
    if (s ~ /^apache(-license)?(,?-?v(ersion-)?)?-?2(\.0)?($|-)/)
        return "Apache-2.0"
    if (s ~ /^(pd|public-?domain(-.*)?|.*-public-domain)$/)
        return "public-domain"
    if (s ~ /^artistic(-?1(\.0)?)?$/)
        return "Artistic"
    if (s ~ /^artistic-?2(\.0)?$/)
        return "Artistic-2.0"
    if (s ~ /^zlib(\/libpng)?$/)
        return "zlib"
    if (s ~ /^cc0(-1(\.0)?)?$/)
        return "CC0-1.0"
    if (s ~ /^mpl-?v?[12]/)
        return "MPL-" (s ~ /2/ ? "2.0" : s ~ /1\.0/ ? "1.0" : "1.1")
    if (s ~ /^(isc|bsl-1\.0|x11|gfdl|ofl|curl|unicode|ftl)/)
        return toupper(name) == "CURL" ? "curl" : toupper(name)
    return name
}

# GPL, LGPL and AGPL: family, version, "+" for later ones too.
function name_gnu(name, s,    family, version, later)
{
    match(s, /^[al]?gpl/)
    family = toupper(substr(s, 1, RLENGTH))
    s = substr(s, RLENGTH + 1)
    later = s ~ /\+/ || s ~ /or-(any-)?(later|newer)/ ? "+" : ""
    sub(/^-?v?(ersion-?)?-?/, "", s)
    if (match(s, /^[0-9]+(\.[0-9]+)*/)) {
        version = substr(s, 1, RLENGTH)
        s = substr(s, RLENGTH + 1)
        sub(/\.0$/, "", version)
    }
    sub(/^\+?(-?only|-?or-(any-)?(later|newer)(-version)?)?/, "", s)
    if (s != "" && s !~ /exception|linking/)
        return name
    return family (version == "" ? "" : "-" version) later
}
