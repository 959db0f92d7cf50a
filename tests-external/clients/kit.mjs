// npm fhir-kit-client at work with a node: node kit.mjs BASE LOGIN PASSWORD

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client } from "fhir-kit-client";

const [baseUrl, login, password] = process.argv.slice(2);
const word = Buffer.from(`${login}:${password}`).toString("base64");
const client = new Client({ baseUrl, customHeaders: { Authorization: `Basic ${word}` } });

const say = (what) => console.log(`  ${what}`);
const lines = (bundle) => (bundle.entry ?? []).map((entry) => entry.request.method);

const statement = await client.capabilityStatement();
assert.equal(statement.fhirVersion, "4.0.1");
say("reads the CapabilityStatement");

const patient = await client.create({
  resourceType: "Patient",
  body: { resourceType: "Patient", name: [{ family: "박", given: ["영희"] }], active: true },
});
const { id } = patient;
const patched = await client.patch({
  resourceType: "Patient",
  id,
  jsonPatch: [
    { op: "test", path: "/name/0/family", value: "박" },
    { op: "replace", path: "/active", value: false },
    { op: "add", path: "/gender", value: "female" },
  ],
});
assert.deepEqual([patched.active, patched.gender], [false, "female"]);
say("patches a Patient");
const refused = client.patch({
  resourceType: "Patient",
  id,
  jsonPatch: [{ op: "remove", path: "/photo/0" }],
});
await assert.rejects(refused, (why) => {
  const issue = why.response.data.issue[0];
  assert.deepEqual(issue.expression, ["Patient.photo[0]"]);
  return why.response.status === 422;
});
say("is told which operation failed");

const first = await client.vread({
  resourceType: "Patient",
  id,
  version: patient.meta.versionId,
});
assert.equal(first.active, true);
assert.deepEqual(lines(await client.history({ resourceType: "Patient", id })), ["PUT", "POST"]);
const ofType = await client.history({ resourceType: "Patient" });
assert.deepEqual(lines(ofType).slice(0, 2), ["PUT", "POST"]);
const ofAll = await client.history();
assert.equal(ofAll.entry[0].resource.id, id);
say("reads versions and histories of a resource, of a type and of everything");

const value = randomUUID();
const fullUrl = `urn:uuid:${randomUUID()}`;
const person = { resourceType: "Patient", identifier: [{ system: "urn:example:client", value }] };
const observation = {
  resourceType: "Observation",
  status: "final",
  code: { text: "x" },
  subject: { reference: fullUrl },
};
const patch = [{ op: "replace", path: "/gender", value: "male" }];
const answer = await client.transaction({
  body: {
    resourceType: "Bundle",
    type: "transaction",
    entry: [
      {
        fullUrl,
        resource: person,
        request: { method: "PUT", url: `Patient?identifier=urn:example:client|${value}` },
      },
      { resource: observation, request: { method: "POST", url: "Observation" } },
      {
        resource: {
          resourceType: "Binary",
          contentType: "application/json-patch+json",
          data: Buffer.from(JSON.stringify(patch)).toString("base64"),
        },
        request: { method: "PATCH", url: `Patient/${id}` },
      },
    ],
  },
});
const statuses = answer.entry.map((entry) => entry.response.status.slice(0, 3));
assert.deepEqual(statuses, ["201", "201", "200"]);
say("carries out a transaction with a condition and a patch");

const made = answer.entry[0].resource.id;
const page = await client.search({
  resourceType: "Observation",
  searchParams: { subject: `Patient/${made}`, _include: "Observation:subject" },
});
assert.deepEqual(page.entry.map((entry) => entry.search.mode).sort(), ["include", "match"]);
const everything = await client.operation({
  name: "$everything",
  resourceType: "Patient",
  id: made,
  method: "GET",
});
assert.equal(everything.total, 2);
const note = page.entry.find((entry) => entry.search.mode === "match").resource;
await client.delete({ resourceType: "Observation", id: note.id });
await assert.rejects(
  client.read({ resourceType: "Observation", id: note.id }),
  (why) => why.response.status === 410,
);
say("searches, includes, asks for everything, deletes");
