# encoding.awk: prints the result of the stage read. Runs with LC_ALL=C: a character is a byte.

BEGIN { encoding = "ascii" }

/[\200-\377]/ {
    rest = $0
    gsub(/[\302-\337][\200-\277]/, "", rest)
    gsub(/\340[\240-\277][\200-\277]/, "", rest)
    gsub(/\355[\200-\237][\200-\277]/, "", rest)
    gsub(/[\341-\354\356\357][\200-\277][\200-\277]/, "", rest)
    gsub(/\360[\220-\277][\200-\277][\200-\277]/, "", rest)
    gsub(/[\361-\363][\200-\277][\200-\277][\200-\277]/, "", rest)
    gsub(/\364[\200-\217][\200-\277][\200-\277]/, "", rest)
    if (rest ~ /[\200-\377]/) {
        encoding = "other"
        exit
    }
    encoding = "utf-8"
}

END {
    split(counts, count, " ")
    printf "{\"size\":%d,\"lines\":%d,\"sha256\":\"%s\",\"encoding\":\"%s\"}\n", \
        count[2], count[1], digest, encoding
}
