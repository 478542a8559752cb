// Calls the operations through openapi-fetch, with the types that openapi-typescript makes of the document, and writes
// one line of JSON for each reply. test_typescript.py puts document.d.ts and examples.ts beside it.
import createClient from "openapi-fetch";

import type { paths } from "./document.js";
import * as examples from "./examples.js";

declare const process: { argv: string[] };

const [url, token] = process.argv.slice(2);
if (!url || !token) throw new Error("name the URL of a sandbox and its token");
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });

const numbered = await client.POST("/crm/v3/objects/orders/batch/create", {
  body: { inputs: [{ properties: { hs_order_name: "A-1002", shop_order_number: "shop-1002" } }] },
});
const refused = await client.POST("/crm/v3/objects/orders/batch/create", {
  body: { inputs: [{ properties: { colour: "red" } }] },
});
const partly = await client.POST("/crm/v3/objects/orders/batch/create", {
  body: {
    inputs: [
      { objectWriteTraceId: "row-1", properties: { hs_order_name: "A-1003" } },
      { objectWriteTraceId: "row-2", properties: { colour: "red" } },
    ],
  },
});
const replies = {
  numbered,
  refused,
  partly,
  CreateOrdersRequest: await client.POST("/crm/v3/objects/orders/batch/create", {
    body: examples.CreateOrdersRequest,
  }),
  UpdateOrdersByRecordIdRequest: await client.POST("/crm/v3/objects/orders/batch/update", {
    body: examples.UpdateOrdersByRecordIdRequest,
  }),
  UpdateOrdersByUniquePropertyRequest: await client.POST("/crm/v3/objects/orders/batch/update", {
    body: examples.UpdateOrdersByUniquePropertyRequest,
  }),
  CreateLineItemsRequest: await client.POST("/crm/v3/objects/line_items/batch/create", {
    body: examples.CreateLineItemsRequest,
  }),
  CreateCommercePaymentsRequest: await client.POST("/crm/v3/objects/commerce_payments/batch/create", {
    body: examples.CreateCommercePaymentsRequest,
  }),
  CreateCartsRequest: await client.POST("/crm/v3/objects/carts/batch/create", {
    body: examples.CreateCartsRequest,
  }),
  UpsertOrdersRequest: await client.POST("/crm/v3/objects/orders/batch/upsert", {
    body: examples.UpsertOrdersRequest,
  }),
  ReadWithHistoryRequest: await client.POST("/crm/v3/objects/orders/batch/read", {
    params: { query: { archived: false } },
    body: examples.ReadWithHistoryRequest,
  }),
  CreateAssociationsRequest: await client.POST(
    "/crm/associations/2026-09/{fromObjectType}/{toObjectType}/batch/create",
    {
      params: { path: { fromObjectType: "line_items", toObjectType: "orders" } },
      body: examples.CreateAssociationsRequest,
    },
  ),
  properties: await client.GET("/crm/v3/properties/{objectType}", { params: { path: { objectType: "carts" } } }),
};

// What a caller reads has these types.
const category: string | null | undefined = refused.error?.category;
const ids: string[] | undefined = numbered.data?.results.map((record) => record.id);
const created: boolean | null | undefined = replies.UpsertOrdersRequest.data?.results[0]?.new;
const archived = await client.POST("/crm/v3/objects/carts/batch/archive", { body: { inputs: [{ id: "93001" }] } });
const traced: string[] | string | null | undefined = partly.data?.errors?.[0]?.context?.["objectWriteTraceId"];

for (const [name, { response, data }] of Object.entries(replies)) {
  console.log(JSON.stringify({ name, status: response.status, records: data?.results.length }));
}
console.log(JSON.stringify({ category, ids, traced, created, archived: archived.response.status }));
