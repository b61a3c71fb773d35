#!/usr/bin/env python3
"""Makes a man page: what the programs' own tables say takes the place of the template's marks, scdoc
makes roff of it, and what mandoc -Tlint finds fault with in scdoc's habits is tidied.

    man.py --commands commands.json --keys keys.scd --version V --scdoc PROGRAM TEMPLATE > PAGE

A mark is a line of its own: @SYNOPSIS@, @COMMANDS@, @OPTIONS@ (out of `stint help --json`), @KEYS@
(out of `options-text man`); @VERSION@ stands anywhere."""
import argparse
import json
import pathlib
import re
import subprocess
import sys

GROUPS = {"start": "Start", "work": "Work", "look": "Look", "act": "Act", "operate": "Operate"}


def plain(text):
    """Text as scdoc shows it unchanged."""
    return re.sub(r"([\\*_#\[\]<>~|`.-])", r"\\\1", text)


def usages(command):
    """Its name with each form of its arguments."""
    return [f"*{plain(command['name'])}* {plain(form)}".rstrip()
            for form in command["usage"].split("\n")]


def paragraphs(text):
    """Prose joined to paragraphs, examples (two blanks in front) kept as they stand."""
    blocks = []
    for line in text.rstrip("\n").split("\n"):
        is_example = line.startswith("  ")
        if not line:
            blocks.append(None)
        elif blocks and blocks[-1] and blocks[-1][0] == is_example:
            blocks[-1][1].append(line[2:] if is_example else line)
        else:
            blocks.append((is_example, [line[2:] if is_example else line]))
    return [b for b in blocks if b]


def entry(title, lines):
    """A definition: what stands below its title is indented."""
    out = [title]
    for line in lines:
        out.append("\t" + line if line else "")
    return out + [""]


def option(flag):
    names = [f"*-{flag['letter']}*"] if flag["letter"] else []
    names.append(f"*\\-\\-{plain(flag['name'])}*" +
                 (f" _{plain(flag['value'])}_" if flag["value"] else ""))
    return ", ".join(names).replace("*-", "*\\-"), plain(flag["help"]) + "."


def body(command):
    lines = [plain(command["help"][0].upper() + command["help"][1:].rstrip("?")) +
             ("?" if command["help"].endswith("?") else ".")]
    if command["alias"]:
        lines[0] += f" Also: *stint {plain(command['alias'])}*."
    for is_example, texts in paragraphs(command["text"]):
        if is_example:
            lines += ["", "```", *texts, "```"]
        else:
            lines += ["", plain(" ".join(texts))]
    for flag in command["options"]:
        title, text = option(flag)
        lines += ["", title, "\t" + text]
    return lines


def commands(table):
    out = []
    for group, title in GROUPS.items():
        members = [c for c in table["commands"] if c["group"] == group and not c["has_words"]]
        if members:
            out += [f"## {title.upper()}", ""]
        for command in members:
            *first, last = usages(command)
            out += [form + "++" for form in first] + entry(last, body(command))
    return out


def synopsis(table):
    return ["*stint* [*-c* _CONF_] [*--json*] [*-q*|*-v*] [*--color* _WHEN_] _COMMAND_".replace(
        "*--", "*\\-\\-").replace("*-", "*\\-")]


def options(table):
    out = []
    for flag in table["options"]:
        title, text = option(flag)
        out += entry(title, [text])
    return out


def tidy(roff):
    """scdoc writes a paragraph macro around everything, and options with a hyphen for the minus."""
    out, lines = [], roff.rstrip("\n").split("\n")
    for i, line in enumerate(lines):
        after = next((x for x in lines[i + 1:] if x != ".P"), "")
        if line == ".P" and after.startswith(".nf"):
            line = ".sp"
        elif line == ".P" and (after[:3] in ("", ".SH", ".SS", ".RE", ".RS") or lines[i + 1] == ".P"
                               or (out and out[-1][:3] in (".SH", ".SS", ".RS"))):
            continue
        if not line.startswith("."):
            line = re.sub(r"(?<![\w\\-])(--?)(?=[a-z])", lambda m: "\\-" * len(m[1]), line)
        out.append(line)
        if line == ".RE" and lines[i + 1 : i + 2] == [after] and not after.startswith("."):
            out.append(".P")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--commands", type=pathlib.Path, required=True)
    parser.add_argument("--keys", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("--scdoc", required=True)
    args = parser.parse_args()
    table = json.loads(args.commands.read_text(encoding="utf-8"))
    marks = {"@SYNOPSIS@": synopsis(table), "@COMMANDS@": commands(table),
             "@OPTIONS@": options(table),
             "@KEYS@": args.keys.read_text(encoding="utf-8").rstrip("\n").split("\n")}
    lines = []
    for line in args.template.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        lines += marks.get(line, [line.replace("@VERSION@", args.version)])
    made = subprocess.run([args.scdoc], input="\n".join(lines) + "\n", text=True, check=False,
                          stdout=subprocess.PIPE, encoding="utf-8")
    if made.returncode:
        sys.exit(f"{args.template}: scdoc failed; line numbers are those of the filled template")
    print(tidy(made.stdout))


if __name__ == "__main__":
    main()
