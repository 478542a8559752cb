// HubSpot's own Node client goes through the whole family: node official_client.cjs URL TOKEN CASES
// CASES is JSON: records, a name property and a unique property for each object type. Prints what it saw.
const { Client } = require("@hubspot/api-client");

const [url, accessToken, cases] = process.argv.slice(2);
const client = new Client({ accessToken, basePath: url });
const { batchApi } = client.crm.objects;
const ids = (...texts) => texts.map((id) => ({ id }));

async function family(type, { records, change, name, key }) {
  const seen = {};
  const created = await batchApi.create(type, {
    inputs: records.map((properties) => ({ properties, associations: [] })),
  });
  seen.created = Object.fromEntries(created.results.map(({ id, properties }) => [id, properties[name]]));
  const [first] = Object.keys(seen.created).sort();
  const updated = await batchApi.update(type, { inputs: [{ id: first, properties: change }] });
  seen.updated = updated.results.map(({ id }) => id);
  await batchApi.archive(type, { inputs: ids(...Object.keys(seen.created)) });
  const archived = await batchApi.read(
    type, { inputs: ids(first), properties: [], propertiesWithHistory: [] }, true);
  seen.archived = archived.results.map((record) => [record.id, record.archived]);
  const upserted = await batchApi.upsert(type, {
    inputs: records.map((properties, index) => ({ id: `K-${index}`, idProperty: key, properties })),
  });
  seen.upserted = upserted.results.map(({ id }) => id);
  seen.new = upserted.results.map((result) => result._new);
  const read = await batchApi.read(type, {
    inputs: ids("K-0", "K-1", "K-2"), idProperty: key, properties: [key], propertiesWithHistory: [key],
  });
  seen.read = read.results.map(({ properties }) => properties[key]).sort();
  seen.history = read.results.map((result) => result.propertiesWithHistory[key].length);
  seen.missing = read.errors.map(({ context }) => context.ids);
  const definitions = await client.crm.properties.coreApi.getAll(type);
  seen.unique = definitions.results.filter((found) => found.hasUniqueValue).map((found) => found.name).sort();
  return seen;
}

async function main() {
  const seen = {};
  for (const [type, known] of Object.entries(JSON.parse(cases))) seen[type] = await family(type, known);
  const contacts = await batchApi.read("contacts", {
    inputs: ids("ada@example.com"), idProperty: "email", properties: ["email"], propertiesWithHistory: [],
  });
  seen.contacts = contacts.results.map(({ id }) => id);
  const [order] = seen.orders.upserted;
  const types = [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 507 }];
  const associated = await client.crm.associations.v4.batchApi.create("orders", "contacts", {
    inputs: [{ _from: { id: order }, to: { id: "301" }, types }],
  });
  seen.associated = associated.results.map(({ fromObjectId, toObjectId }) => [fromObjectId, toObjectId]);
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
