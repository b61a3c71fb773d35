# summarise.awk: prints the result of the stage summarise.

{ request = request $0 "\n" }

END {
    json_parse(request)
    n = split(JSON["key"], part, "/")
    line = ""
    for (i = 1; i <= JSON["inputs.classify.licences#"]; i++)
        line = line (i > 1 ? "," : "") json_quote(JSON["inputs.classify.licences." i])
    printf "{\"package\":%s,\"licences\":[%s],\"format\":%s,\"unclear\":%s,", \
        json_quote(part[n - 1]), line, json_quote(JSON["inputs.classify.format"]), \
        JSON["inputs.classify.unclear"]
    printf "\"size\":%d,\"lines\":%d,\"encoding\":%s}\n", JSON["inputs.read.size"], \
        JSON["inputs.read.lines"], json_quote(JSON["inputs.read.encoding"])
}
