# text.awk: which licences does free text name?
#
# text_scan(PARAGRAPH) looks at one paragraph, text_end() settles what needs the whole: statements
# ("either version 2 of the License, or any later version") count before references ("see
# /usr/share/common-licenses/GPL-2"), and those before a bare "GPL". Adds by licence_add().

function text_scan(text)
{
    text = tolower(text)
    gsub(/[^a-z0-9.+]+/, " ", text)
    gsub(/\. /, " ", text)
    text = " " text " "
    text_gnu(text)
    text_bsd(text)
    text_permissive(text)
    text_named(text)
}

# Every mention of a GNU licence, with the version that stands behind it or right before it.
function text_gnu(text,    name, before, behind, family)
{
    name = "(lesser|library|affero|lesser general|library general)? ?general public licen[cs]e" \
        "|(lesser|library|affero) gpl|[al]?gpl"
    if (text ~ /same terms as perl/ || text ~ /under the terms of perl/) {
        text_fact("GPL", "1", "+", 3)
        licence_add("Artistic")
    }
    before = ""
    while (match(text, name)) {
        family = substr(text, RSTART, RLENGTH)
        before = before substr(text, 1, RSTART - 1)
        behind = substr(text, RSTART + RLENGTH)
        family = family ~ /affero|agpl/ ? "AGPL" : family ~ /lesser|library|lgpl/ ? "LGPL" : "GPL"
        text = behind
        text_version(family, before, text_until(behind, name))
    }
}

function text_until(text, name)
{
    text = substr(text, 1, 240)
    return match(text, name) ? substr(text, 1, RSTART - 1) : text
}

function text_version(family, before, behind,    version, later, strength)
{
    before = substr(before, length(before) > 60 ? length(before) - 59 : 1)
    strength = before ~ /common licenses $|(text|copy|copies|version) of (the ?)?(gnu ?)?$/ ? 2 : 3
    if (behind ~ /^ compatible/)
        return
    if (match(before, /version [0-9.]+ (or (any )?(later|newer) )?(version )?of (the ?)?(gnu ?)?$/)) {
        version = substr(before, RSTART + 8)
        later = version ~ /later|newer/
        sub(/ .*/, "", version)
    } else if (match(behind, /^[ v]*[0-9][0-9.]*\+?/) || \
        match(behind, /^( [a-z]+)*[ ]*version [0-9][0-9.]*/)) {
        version = substr(behind, RSTART, RLENGTH)
        behind = substr(behind, RSTART + RLENGTH)
        later = version ~ /\+/ || behind ~ /(any|or) (later|newer|greater)|later version/ || \
            (behind ~ /^[+ ]*or at your option/)
        gsub(/[^0-9.]|^.* v(ersion)? /, "", version)
    } else if (behind ~ /^\+/) {
        later = 1
    }
    sub(/\.+$/, "", version)
    sub(/\.0$/, "", version)
    if (version != "" && version !~ /^[1-3](\.1)?$/)
        version = ""
    if (strength == 2 && behind ~ /^ [a-z]+/)
        later = 0
    if (version == "")
        strength = text_is_granted(before, behind) ? 1 : 0
    text_fact(family, version, version != "" && later ? "+" : "", strength)
}

# Is something put under the licence here, or is it only talked about?
function text_is_granted(before, behind)
{
    return before ~ /(licen[cs]ed|released|covered|available|distributed|is) (under |by )?(the ?)?([a-z]+ )?([a-z]+ ?)?$/ || \
        before ~ /(terms|conditions) of (the ?)?(gnu ?)?$/ || behind ~ /common licenses/ || \
        before ~ /common licenses $/
}

function text_fact(family, version, later, strength,    name)
{
    name = family (version == "" ? "" : "-" version) later
    if (!(name in GNU) || GNU[name] < strength)
        GNU[name] = strength
    if (!(family in GNU_BEST) || GNU_BEST[family] < strength)
        GNU_BEST[family] = strength
}

# The clauses of a BSD licence may be paragraphs of their own: gathered until the next one begins.
function text_bsd(text)
{
    if (text ~ /redistribution and use (of this software )?(in|of) (the )?(source|this)/ || \
        text ~ /redistribution and use .* with or without modification/) {
        text_bsd_end()
        bsd_clauses = 2
    }
    if (!bsd_clauses)
        return
    if (text ~ /endorse or promote|used to endorse|be used in advertising or publicity/)
        bsd_clauses = bsd_clauses < 3 ? 3 : bsd_clauses
    if (text ~ /advertising materials mentioning/)
        bsd_clauses = 4
}

function text_bsd_end()
{
    if (bsd_clauses)
        licence_add("BSD-" bsd_clauses "-clause")
    bsd_clauses = 0
}

# Licences that have no name in their own text.
function text_permissive(text)
{
    if (text ~ /permission is hereby granted free of charge to any person obtaining a copy/)
        licence_add("MIT")
    if (text ~ /permission to use copy modify (and|and or|or)?( )?distribute this software (and its documentation )?for any purpose with or without fee is hereby granted/)
        licence_add("ISC")
    else if (text ~ /permission to use copy modify .*(its|the) documentation .*is hereby granted/ || \
        text ~ /permission to use copy modify (and )?distribute .* without fee is hereby granted/)
        licence_add("HPND")
    if (text ~ /permission is hereby granted to use or copy this program for any purpose/)
        licence_add("Boehm-GC")
    if (text ~ /altered source versions must be plainly marked/)
        licence_add("zlib")
    if (text ~ /hereby grant permission to use copy modify distribute and license this software/)
        licence_add("TCL")
    if (text ~ /gives unlimited permission to copy and or distribute/)
        licence_add("FSFULLR")
    if (text ~ /copying and distribution of this file with or without modification are permitted/)
        licence_add("FSFAP")
    if (text ~ /public domain/ && text !~ /not (in|placed in|into|part of) the public domain/)
        licence_add("public-domain")
}

function text_named(text)
{
    if (text ~ /apache (software )?licen[cs]e,? (v(ersion)? ?\.? ?)?2|apache 2(\.0)?|apache.org licenses license 2|licenses apache 2/)
        licence_add("Apache-2.0")
    else if (text ~ /apache (software )?licen[cs]e( version)? 1\.[01]/)
        licence_add("Apache-1.1")
    else if (text ~ /apache (software )?licen[cs]e/)
        loose["Apache"] = 1
    if (text ~ /artistic (licen[cs]e )?(version )?2/)
        licence_add("Artistic-2.0")
    else if (text ~ /artistic licen[cs]e|common licenses artistic/)
        licence_add("Artistic")
    if (text ~ /mozilla public licen[cs]e|[ (]mpl[ v12]/)
        text_versioned(text, "MPL", "(licen[cs]e|mpl) ?(v|version)? ?", "2.0 1.1 1.0")
    if (text ~ /free documentation licen[cs]e| gfdl/)
        text_versioned(text, "GFDL", "(version|gfdl) ", "1.3 1.2 1.1")
    if (text ~ /boost software licen[cs]e/)
        licence_add("BSL-1.0")
    if (text ~ /python software foundation licen[cs]e|psf licen[cs]e|licensed under the psf/)
        licence_add("PSF-2.0")
    if (text ~ /openssl licen[cs]e/)
        licence_add("OpenSSL")
    if (text ~ /open font licen[cs]e/)
        licence_add("OFL-1.1")
    if (text ~ /eclipse public licen[cs]e/)
        licence_add("EPL")
    if (text ~ /common development and distribution licen[cs]e/)
        licence_add("CDDL")
    if (text ~ /openldap public licen[cs]e/)
        licence_add("OpenLDAP")
    if (text ~ /(info zip|info zip s) licen[cs]e|info zip copyright and licen[cs]e/)
        licence_add("Info-ZIP")
    if (text ~ /creative commons attribution share ?alike/)
        licence_add("CC-BY-SA")
    else if (text ~ /creative commons attribution/)
        licence_add("CC-BY")
    if (text ~ / cc0 |creative commons zero/)
        licence_add("CC0-1.0")
    if (text ~ / (mit|expat) (style )?licen[cs]e/)
        loose["MIT"] = 1
    if (text ~ / bsd (style )?(licen[cs]e|copyright)|common licenses bsd/)
        loose["BSD"] = 1
    if (text ~ / isc licen[cs]e/)
        licence_add("ISC")
}

# The first of the versions that stands behind what introduces one; without any: the name alone.
function text_versioned(text, family, introduction, versions,    list, n, i)
{
    n = split(versions, list, " ")
    for (i = 1; i <= n; i++)
        if (text ~ (introduction substr(list[i], 1, 1) "\\." substr(list[i], 3))) {
            licence_add(family "-" list[i])
            return
        }
    loose[family] = 1
}

# What was only mentioned by name counts when nothing more exact of its kind was found.
function text_end(    name, family, other, exact)
{
    text_bsd_end()
    for (name in GNU) {
        family = name
        sub(/-.*/, "", family)
        if (GNU[name] == GNU_BEST[family] && GNU[name] > 0)
            licence_add(name)
    }
    exact = 0
    for (name in LICENCES)
        exact = 1
    for (name in GNU)
        if (!exact && GNU[name] == 0)
            loose[name] = 1
    for (name in loose) {
        exact = 0
        for (other in LICENCES)
            if (index(other, name) == 1)
                exact = 1
        if (!exact)
            licence_add(name)
    }
}
