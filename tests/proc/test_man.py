"""The man pages: clean, and nothing that the programs know is missing from page, --help, completion."""
import os
import re
import shutil
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, ROOT, StintTest

PAGES = os.path.join(BIN, "docs", "man")
NAMES = ("stint.1", "stintd.8", "stint.conf.5", "stint-handler.7")


@unittest.skipUnless(os.path.exists(os.path.join(PAGES, "stint.1")), "built without scdoc")
class Man(StintTest):
    def page(self, name):
        with open(os.path.join(PAGES, name), encoding="utf-8") as f:
            roff = f.read()
        return re.sub(r"\\f[BIRP]|\\&", "", roff).replace("\\-", "-").replace("\\e", "\\")

    def table(self):
        return self.stint("help", "--json").json

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_finds_no_fault(self):
        for name in NAMES:
            done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", os.path.join(PAGES, name)],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, ""), name)

    def test_each_has_examples_and_exit_status(self):
        for name in NAMES:
            for title in ("NAME", "DESCRIPTION", "EXAMPLES", '"EXIT STATUS"', '"SEE ALSO"'):
                self.assertIn(f".SH {title}".replace('"', ""), self.page(name).replace('"', ""))

    def test_every_command_and_option_is_in_page_and_help(self):
        page, table = self.page("stint.1"), self.table()
        for command in table["commands"]:
            text = self.stint("help", *command["name"].split()).out
            if not command["has_words"]:
                self.assertRegex(page, rf"(?m)^{re.escape(command['name'])}( |$)")
            if command["alias"]:
                self.assertIn(f"stint {command['alias']}", page)
                self.assertIn(f"stint {command['alias']}", text)
            for option in command["options"] + table["options"]:
                name = rf"(?m)--{option['name']}( |$)"
                self.assertRegex(text, name)
                self.assertRegex(page, name)

    def test_every_command_says_what_its_options_are(self):
        """An option that a usage line names exists, and takes a value where the line says so."""
        table = self.table()
        for command in table["commands"]:
            known = {f"--{o['name']}": o["value"] for o in command["options"] + table["options"]}
            for name, value in re.findall(r"(--[a-z-]+)( [A-Za-z@][^\]\n]*)?", command["usage"]):
                if not command["has_words"]:
                    self.assertIn(name, known, command["name"])
                    self.assertEqual(bool(known[name]), bool(value), (command["name"], name))

    def test_options_of_one_name_are_alike(self):
        """Before the command is known, an option must be seen to take a value, or not to."""
        takes = {}
        for command in self.table()["commands"]:
            for option in command["options"]:
                had = takes.setdefault(option["name"], option["value"] is not None)
                self.assertEqual(had, option["value"] is not None, option["name"])

    def test_every_option_of_stintd_is_in_its_page(self):
        page = self.page("stintd.8")
        said = self.stint("--help", program="stintd").out
        for name in set(re.findall(r"--[a-z-]+", said)):
            self.assertIn(name, page)

    def test_every_key_is_in_its_page(self):
        page = self.page("stint.conf.5")
        with open(os.path.join(ROOT, "conf", "stint.conf"), encoding="utf-8") as f:
            keys = set(re.findall(r"(?m)^#?([a-z_]+) =", f.read()))
        self.assertGreater(len(keys), 30)
        for key in keys:
            self.assertRegex(page, rf"(?m)^{key}$")


if __name__ == "__main__":
    unittest.main()
