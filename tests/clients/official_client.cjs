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

// Single records, pages and a search, as most programs use this client.
async function singles(type, { records, change, name }) {
  const { basicApi, searchApi } = client.crm.objects;
  const made = await basicApi.create(type, { properties: records[0], associations: [] });
  await basicApi.update(type, made.id, { properties: change });
  const [property, value] = Object.entries(change)[0];
  const read = await basicApi.getById(type, made.id, [property, name]);
  const request = {
    filterGroups: [{ filters: [{ propertyName: property, operator: "EQ", value }] }],
    properties: [name], limit: 10, after: "0", sorts: ["-hs_lastmodifieddate"],
  };
  const found = await searchApi.doSearch(type, request);
  const pages = [];
  for (let after; ;) {
    const page = await basicApi.getPage(type, 1, after, [name]);
    pages.push(...page.results.map(({ id }) => id));
    after = page.paging?.next?.after;
    if (!after) break;
  }
  await basicApi.archive(type, made.id);
  const missing = await basicApi.getById(type, made.id).catch((error) => error.code);
  return {
    read: read.properties[property] === value,
    found: found.results.map(({ id }) => id === made.id),
    paged: pages.includes(made.id) && new Set(pages).size === pages.length,
    missing,
  };
}

async function main() {
  const seen = {};
  for (const [type, known] of Object.entries(JSON.parse(cases))) {
    const ofSingles = await singles(type, known);
    seen[type] = { ...(await family(type, known)), singles: ofSingles };
  }
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
