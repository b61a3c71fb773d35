"""The source tree as the rules see it: files, C code without comments, string literals."""
import os
import re

SKIPPED = re.compile(r"(\.git|build.*|__pycache__|\.cache)$")
TEXT = re.compile(r"\.(c|h|py|sh|awk|sql|md|conf|build|txt|yml)$|/(demo|test|run|read|classify|"
                  r"summarise|report|LICENSE|stint-[a-z]+)$")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


class File:
    def __init__(self, path, text):
        self.path, self.text = path, text
        self.folder, self.name = os.path.split(path)

    @property
    def is_test(self):
        return self.path.startswith("tests/")

    @property
    def is_c(self):
        return self.name.endswith((".c", ".h"))

    @property
    def lines(self):
        return self.text.splitlines()

    @property
    def code(self):
        """Without comments; strings emptied, so that no word in them counts."""
        return TOKEN.sub(lambda m: '""' if m[0][0] == '"' else "' '" if m[0][0] == "'" else " ",
                         self.text)

    @property
    def commentless(self):
        return TOKEN.sub(lambda m: m[0] if m[0][0] in "\"'" else " ", self.text)

    @property
    def strings(self):
        """String literals, those that stand beside each other joined."""
        joined = re.sub(r'"\s*"', "", self.commentless)
        return [m[0][1:-1] for m in TOKEN.finditer(joined) if m[0][0] == '"']

    def includes(self, form):
        return re.findall(r"^[ \t]*#[ \t]*include[ \t]*" + form, self.text, re.M)


def read_tree(root):
    files = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not SKIPPED.match(f)]
        for name in names:
            path = os.path.join(folder, name)
            if not TEXT.search(path):
                continue
            with open(path, encoding="utf-8") as f:
                files.append(File(os.path.relpath(path, root), f.read()))
    return sorted(files, key=lambda f: f.path)
