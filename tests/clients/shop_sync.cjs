// A program in another language than Python, and its tests, which set the sandbox up over HTTP:
// SANDBOX=http://127.0.0.1:8089 node --test shop_sync.cjs
const test = require("node:test");
const assert = require("node:assert/strict");

const SANDBOX = process.env.SANDBOX;
const TYPE = { associationCategory: "HUBSPOT_DEFINED", associationTypeId: 507 };

// The program: it brings an order of a shop into HubSpot, and does not double it if an answer is lost.
async function bringOrder(number, contact) {
  const url = `${SANDBOX}/crm/v3/objects/orders/batch/upsert`;
  const input = { id: number, idProperty: "shop_number", properties: { hs_order_name: `Order ${number}` } };
  for (let attempt = 0; ; attempt++) {
    const reply = await fetch(url, {
      method: "POST",
      headers: { Authorization: "Bearer sandbox-token", "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [input] }),
    });
    if (reply.status === 504 && attempt < 2) continue;
    if (!reply.ok) throw new Error((await reply.json()).message);
    const [{ id }] = (await reply.json()).results;
    await link(id, contact);
    return id;
  }
}

async function link(order, contact) {
  const inputs = [{ from: { id: order }, to: { id: contact }, types: [TYPE] }];
  await fetch(`${SANDBOX}/crm/associations/2026-09/orders/contacts/batch/create`, {
    method: "POST",
    headers: { Authorization: "Bearer sandbox-token", "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
}

// Its tests.
async function control(method, path, body) {
  const reply = await fetch(`${SANDBOX}/_sandbox${path}`, {
    method,
    headers: body && { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.message);
  return answer;
}

test.beforeEach(async () => {
  await control("POST", "/reset", {
    properties: { orders: { shop_number: { unique: true } } },
    clock: "2026-09-01T08:00:00Z",
  });
  await control("POST", "/records", { records: { contacts: [{ id: "301", email: "ada@example.com" }] } });
});

test("an order arrives with its contact", async () => {
  const id = await bringOrder("A-1001", "301");

  const { results: [order] } = await control("GET", "/records/orders");
  assert.equal(order.id, id);
  assert.deepEqual(order.associations.map(({ toType, toId }) => [toType, toId]), [["contacts", "301"]]);
  assert.match(order.createdAt, /^2026-09-01T08:00:/);
});

test("a lost answer does not double an order", async () => {
  await control("POST", "/faults/next", { names: ["504-after", "504-before"] });

  await bringOrder("A-1001", "301");

  const { results: orders } = await control("GET", "/records/orders");
  const { results: requests } = await control("GET", "/requests");
  assert.deepEqual(orders.map(({ properties }) => properties.shop_number), ["A-1001"]);
  assert.deepEqual(requests.map(({ status }) => status), [504, 504, 200, 201]);
  assert.equal(requests[0].body.inputs[0].id, "A-1001");
});

test("each test begins again", async () => {
  assert.deepEqual(await control("GET", "/records/orders"), { results: [] });
  assert.deepEqual(await control("GET", "/requests"), { results: [] });
});

test("a refusal is told", async () => {
  await control("POST", "/reset", { scopes: ["crm.objects.carts.write"] });

  await assert.rejects(bringOrder("A-1001", "301"), /hasn't been granted all required scopes/);
  await assert.rejects(control("POST", "/reset", { scope: [] }), /scope: unknown key; did you mean scopes\?/);
});

test("an order to begin with has its contact", async () => {
  const associations = [{ to: { id: "301" }, types: [TYPE] }];
  await control("POST", "/records", { records: { orders: [{ id: "1", hs_order_name: "A-1", associations }] } });

  const reply = await fetch(`${SANDBOX}/crm/v3/objects/orders/1?associations=contacts`, {
    headers: { Authorization: "Bearer sandbox-token" },
  });
  assert.deepEqual((await reply.json()).associations, { contacts: { results: [{ id: "301", type: "type_507" }] } });
  const contact = await control("GET", "/records/contacts/301");
  assert.deepEqual(contact.associations.map(({ toType, toId }) => [toType, toId]), [["orders", "1"]]);
  await assert.rejects(
    control("POST", "/records", { records: { orders: [{ id: "2", associations: [{ to: { id: "9" }, types: [TYPE] }] }] } }),
    /there is no record of contacts with the id 9; give it, too/,
  );
});
