#!/usr/bin/env python3
"""Makes statements.h and statements.c out of sql/: one file, one statement, one name.

    sql/<dialect>/*.sql             Q_NAME: the same names, params, columns in every dialect
    sql/<dialect>/driver/*.sql      Q_<DIALECT>_NAME: what only this dialect's driver needs
    sql/<dialect>/migrations/*.sql  NNNN_name.sql: numbered from 1 without a gap; scripts

Every statement begins with a head of comment lines, in this order:

    -- purpose: free text
    -- params: a, b        (or none) every :a and :b of the text; the units are in the names
    -- columns: x, y       (or none) in the order of the result
    -- rows: 0 | 1 | 0..1 | 0..n | 0..limit ...
    -- access: reads | writes | ddl   (ddl: a script of several statements, without params)

A comment line that begins none of these goes on with the one before it. Fails, and says where,
when a head is malformed, head and text disagree, a statement is named nowhere in the C sources,
migrations have a gap, or dialects differ."""
import argparse
import pathlib
import re
import sys

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
ROWS = re.compile(r"(\d+|\d+\.\.(\d+|[a-z_]+))\Z")
TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|:([A-Za-z_]\w*)", re.S)


ORDER = ["purpose", "params", "columns", "rows", "access"]
FIELD = re.compile(r"-- (purpose|params|columns|rows|access): ")


class Bad(Exception):
    pass


def names_of(path, key, text):
    if text == "none":
        return []
    names = [part.strip() for part in text.split(",")]
    for name in names:
        if not NAME.match(name):
            raise Bad(f"{path}: {key}: {name!r} is no lower-case name (or write: none)")
    if len(set(names)) != len(names):
        raise Bad(f"{path}: {key}: a name stands twice")
    return names


def split_head(path, source):
    head, lines, at = {}, source.split("\n"), 0
    for key in ORDER:
        prefix = f"-- {key}: "
        if at >= len(lines) or not lines[at].startswith(prefix):
            raise Bad(f"{path}:{at + 1}: expected \"{prefix}...\"")
        head[key] = lines[at][len(prefix):].strip()
        if not head[key]:
            raise Bad(f"{path}:{at + 1}: {key} is empty")
        at += 1
        while at < len(lines) and lines[at].startswith("-- ") and not FIELD.match(lines[at]):
            head[key] += " " + lines[at][3:].strip()
            at += 1
    return head, "\n".join(lines[at:]).strip()


def read_statement(path, prefix):
    if not NAME.match(path.stem):
        raise Bad(f"{path}: a statement's file is named in lower case: some_name.sql")
    head, text = split_head(path, path.read_text(encoding="utf-8"))
    if not text:
        raise Bad(f"{path}: there is no statement below the head")
    if not ROWS.match(head["rows"]):
        raise Bad(f"{path}: rows: {head['rows']!r}; write 0, 1, 0..1, 0..n or 0..limit")
    if head["access"] not in ("reads", "writes", "ddl"):
        raise Bad(f"{path}: access: {head['access']!r}; write reads, writes or ddl")
    params = names_of(path, "params", head["params"])
    used = {m.group(1) for m in TOKEN.finditer(text) if m.group(1)}
    for name in sorted(used - set(params)):
        raise Bad(f"{path}: the text uses :{name}, which the head's params do not name")
    for name in params:
        if name not in used:
            raise Bad(f"{path}: the head's params name {name}, which the text does not use")
    bare = TOKEN.sub("", text).strip()
    if head["access"] == "ddl" and params:
        raise Bad(f"{path}: a ddl script has no params")
    if head["access"] != "ddl" and ";" in bare:
        raise Bad(f"{path}: one file is one statement, without a semicolon")
    return {"name": prefix + path.stem, "text": text, "params": params, "rows": head["rows"],
            "columns": names_of(path, "columns", head["columns"]), "access": head["access"]}


def read_migrations(folder):
    migrations = []
    for n, path in enumerate(sorted(folder.glob("*.sql")), 1):
        m = re.match(r"(\d{4})_[a-z0-9_]+\.sql\Z", path.name)
        if not m or int(m.group(1)) != n:
            raise Bad(f"{path}: expected migration {n:04}_name.sql")
        text = path.read_text(encoding="utf-8")
        if f"user_version = {n};" not in text:
            raise Bad(f"{path}: a migration ends by setting user_version = {n}")
        migrations.append((n, path.stem, text))
    return migrations


def read_dialect(folder):
    shared = [read_statement(p, "") for p in sorted(folder.glob("*.sql"))]
    own = [read_statement(p, folder.name + "_") for p in sorted(folder.glob("driver/*.sql"))]
    return shared, own, read_migrations(folder / "migrations")


def check_same(dialects):
    first, *others = sorted(dialects)
    for other in others:
        a = {s["name"]: s for s in dialects[first][0]}
        b = {s["name"]: s for s in dialects[other][0]}
        for name in sorted(a.keys() ^ b.keys()):
            lacks = other if name in a else first
            raise Bad(f"sql/{lacks}: lacks {name}.sql, which the other dialect has")
        for name in a:
            for part in ("params", "columns"):
                if a[name][part] != b[name][part]:
                    raise Bad(f"{name}.sql: {part} differ between {first} and {other}")


def check_used(dialects, sources):
    words = set()
    for path in sorted(sources.glob("*.c")):
        words.update(re.findall(r"\bQ_[A-Z0-9_]+\b", path.read_text(encoding="utf-8")))
    for dialect, (shared, own, _) in sorted(dialects.items()):
        for s in shared + own:
            if "Q_" + s["name"].upper() not in words:
                raise Bad(f"sql/{dialect}: {s['name']} is used by no file of {sources}")


def literal(text):
    lines = text.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return "\n".join(f'        "{line}\\n"' for line in lines)


def write_header(out, queries, dialects):
    rows = "\n".join(f"    Q_{name.upper()}," for name in queries)
    tables = "\n".join(
        f"extern const struct statement statements_{d}[QUERY_COUNT];\n"
        f"extern const struct migration migrations_{d}[];\n"
        f"extern const size_t migrations_{d}_len;" for d in sorted(dialects))
    out.write_text(f"""/* Generated by scripts/embed_sql.py from sql/: do not edit. */
#ifndef STINT_STORE_STATEMENTS_H
#define STINT_STORE_STATEMENTS_H

#include <stddef.h>

enum query {{
{rows}
    QUERY_COUNT
}};

enum query_access {{ ACCESS_READS, ACCESS_WRITES, ACCESS_DDL }};

struct statement {{
    const char *name; /* NULL: another dialect's own */
    const char *text;
    const char *const *params;
    size_t params_len;
    const char *const *columns;
    size_t columns_len;
    enum query_access access;
}};

struct migration {{
    int number;
    const char *name, *text;
}};

{tables}

#endif
""", encoding="utf-8")


def write_source(out, dialects):
    parts = ['/* Generated by scripts/embed_sql.py from sql/: do not edit. */',
             '#include "statements.h"', '',
             '#pragma GCC diagnostic ignored "-Woverlength-strings"']
    for d, (shared, own, migrations) in sorted(dialects.items()):
        parts.append(f"\nconst struct statement statements_{d}[QUERY_COUNT] = {{")
        for s in shared + own:
            lists = []
            for key in ("params", "columns"):
                names = s[key]
                text = ", ".join(f'"{n}"' for n in names)
                array = f"(const char *const[]){{{text}}}"
                lists.append(f"{array}, {len(names)}" if names else "NULL, 0")
            parts.append(f'    [Q_{s["name"].upper()}] = {{"{s["name"]}",\n'
                         f'{literal(s["text"])},\n        {lists[0]},\n        {lists[1]}, '
                         f'ACCESS_{s["access"].upper()}}},')
        parts.append(f"}};\n\nconst struct migration migrations_{d}[] = {{")
        for n, name, text in migrations:
            parts.append(f'    {{{n}, "{name}",\n{literal(text)}}},')
        parts.append(f"}};\nconst size_t migrations_{d}_len = {len(migrations)};")
    out.write_text("\n".join(parts) + "\n", encoding="utf-8")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--sql", type=pathlib.Path, required=True)
    p.add_argument("--sources", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--depfile", type=pathlib.Path)
    args = p.parse_args()
    folders = [f for f in sorted(args.sql.iterdir()) if f.is_dir()]
    try:
        if not folders:
            raise Bad(f"{args.sql}: no dialect")
        dialects = {f.name: read_dialect(f) for f in folders}
        check_same(dialects)
        check_used(dialects, args.sources)
    except (Bad, OSError, UnicodeDecodeError) as e:
        print(f"embed_sql: {e}", file=sys.stderr)
        return 1
    queries = [s["name"] for s in dialects[folders[0].name][0]]
    for d in sorted(dialects):
        queries += [s["name"] for s in dialects[d][1]]
    write_header(args.out / "statements.h", queries, dialects)
    write_source(args.out / "statements.c", dialects)
    if args.depfile:
        deps = [args.sources, *args.sources.glob("*.c"), *args.sql.rglob("*")]
        text = " ".join(str(d).replace(" ", "\\ ") for d in deps)
        args.depfile.write_text(f"{args.out}/statements.h {args.out}/statements.c: {text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
