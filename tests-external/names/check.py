#!/usr/bin/env python3
"""Checks our Revised romanisation against two programs that others wrote.

    python3 -m venv V && V/bin/pip install -r tests-external/names/requirements.txt
    V/bin/python tests-external/names/check.py

- letter by letter: every syllable with a simple tail, as PyPI `hangul-names` writes given names and
  as `koroman` writes without its rules of pronunciation;
- as spoken: every pair of syllables of the names that people bear here, as `koroman` writes.

Both follow the south's rules, so that only the Revised system can be compared. What they do
otherwise is named below with the reason.
"""

import itertools
import os
import subprocess
import sys

import koroman
from hangul_names.transliterator import Transliterator

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEADS, VOWELS, TAILS = 19, 21, 28
SIMPLE_TAILS = [0, 1, 4, 7, 8, 16, 17, 19, 21]
# Syllables of names, among them all that change where they meet.
SYLLABLES = (
    "영철희순옥명성금수혁정일남룡광미향경진호복련선국학은춘화실숙용혜봉훈림심동설창녀"
    "김박최강조윤장한오서신권황안송류홍전고문손량배백허로석옥흥"
)


def ours(names):
    command = ["cargo", "run", "--quiet", "--locked", "-p", "ondol-identity"]
    command += ["--example", "romanise"]
    done = subprocess.run(
        command, cwd=ROOT, input="\n".join(names), text=True, check=True, stdout=subprocess.PIPE
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(names), f"{len(rows)} answers to {len(names)} names"
    return rows


def is_known(pair):
    """What koroman writes otherwise for a reason that does not concern names."""
    first, second = pair
    tail = (ord(first) - 0xAC00) % TAILS
    lead = (ord(second) - 0xAC00) // (VOWELS * TAILS)
    vowel = (ord(second) - 0xAC00) // TAILS % VOWELS
    # Between parts of a compound a ㄴ is put in before 여, 요, 유 (2000-8, 3.1.1): koroman does it
    # everywhere. A name is no compound: 박영 is no 방녕.
    if tail in (1, 8) and lead == 11 and vowel in (6, 12, 17):
        return True
    # Likewise ㄴ before 로 becomes ㄴㄴ in a few compounds, and ㄹㄹ elsewhere (3.1.2).
    if tail == 4 and second == "로":
        return True
    # A stop before ㅎ: koroman melts both into one; the notice (3.1.4, note) leaves nouns, and so
    # names, as they are written.
    return tail in (1, 7, 17) and lead == 18


def main():
    failed = []
    syllables = [
        chr(0xAC00 + (lead * VOWELS + vowel) * TAILS + tail)
        for lead in range(LEADS)
        for vowel in range(VOWELS)
        for tail in SIMPLE_TAILS
    ]
    given = Transliterator()
    for syllable, row in zip(syllables, ours(syllables)):
        theirs = given.romanize("김" + syllable).split(" ")[1].lower()
        if row[0] != theirs:
            failed.append(f"hangul-names: {syllable} {row[0]} {theirs}")
        # Without its rules koroman keeps the letter ㄷ at the end (gad); the notice (2.2, note 1)
        # and hangul-names write the sound (gat).
        theirs = koroman.romanize(syllable, use_pronunciation_rules=False)
        if row[0] != theirs and (ord(syllable) - 0xAC00) % TAILS != 7:
            failed.append(f"koroman, letters: {syllable} {row[0]} {theirs}")
    pairs = ["".join(pair) for pair in itertools.product(dict.fromkeys(SYLLABLES), repeat=2)]
    compared = 0
    for pair, row in zip(pairs, ours(pairs)):
        if is_known(pair):
            continue
        compared += 1
        theirs = koroman.romanize(pair)
        if row[1] != theirs:
            failed.append(f"koroman, spoken: {pair} {row[1]} {theirs}")
    for line in failed[:60]:
        print(line)
    print(f"{len(syllables)} syllables and {compared} pairs compared, {len(failed)} differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
