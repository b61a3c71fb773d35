# report.awk: reads what `stint status`, `stint events` and `stint results` say, one JSON object a
# line, and prints the report.

/^$/ { next }

{ json_parse($0) }

JSON["schema"] ~ /^stint\.status/ {
    for (i = 1; i <= JSON["jobs#"]; i++) {
        if (JSON["jobs." i ".name"] != "licences")
            continue
        files = JSON["jobs." i ".items"]
        counts = "jobs." i ".counts."
        failed = JSON[counts "failed"] + JSON[counts "exhausted"]
        moving = JSON[counts "pending"] + JSON[counts "in_progress"] + JSON[counts "retry_later"]
        is_discovering = JSON["jobs." i ".discovering"] == "true"
    }
    next
}

JSON["schema"] ~ /^stint\.event/ {
    if (JSON["job"] == "licences")
        why[JSON["key"]] = JSON["stage"] ": " JSON["data.why"]
    next
}

JSON["schema"] ~ /^stint\.result/ {
    is_done[JSON["key"]] = 1
    package = JSON["result.package"]
    if (JSON["result.unclear"] == "true")
        unclear[++unclear_len] = package
    for (i = 1; i <= JSON["result.licences#"]; i++)
        packages[JSON["result.licences." i]]++
}

function is_before(a, b)
{
    return packages[a] != packages[b] ? packages[a] > packages[b] : a < b
}

function print_licences(    n, i, name, list, shown)
{
    n = 0
    for (name in packages) {
        for (i = ++n; i > 1 && is_before(name, list[i - 1]); i--)
            list[i] = list[i - 1]
        list[i] = name
    }
    shown = wants_all == "--all" || n < 40 ? n : 30
    print "packages by licence (a package may name several):"
    for (i = 1; i <= shown; i++)
        printf "%7d  %s\n", packages[list[i]], list[i]
    if (shown < n)
        printf "    and %d rarer ones: ./report --all\n", n - shown
}

function print_sorted(list, n,    i, j, text)
{
    for (i = 2; i <= n; i++) {
        text = list[i]
        for (j = i; j > 1 && list[j - 1] > text; j--)
            list[j] = list[j - 1]
        list[j] = text
    }
    for (i = 1; i <= n; i++)
        print "    " list[i]
}

END {
    printf "files: %d\n\n", files
    print_licences()
    printf "\nunclear: %d\n", unclear_len
    print_sorted(unclear, unclear_len)
    printf "errors: %d\n", failed
    for (key in why)
        if (!(key in is_done))
            errors[++errors_len] = key "  " why[key]
    print_sorted(errors, errors_len)
    if (is_discovering || moving > 0)
        printf "\nnot finished: %d stage runs are still to do; go on by: stint run --drain\n", moving
}
