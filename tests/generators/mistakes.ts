// What the document does not allow has no type: without an error in the line below each comment, tsc complains.
import createClient from "openapi-fetch";

import type { components, paths } from "./document.js";

type Schemas = components["schemas"];

const client = createClient<paths>();

// @ts-expect-error - inputs are required
export const empty: Schemas["BatchCreateRequest"] = {};
// @ts-expect-error - a value is text
export const number: Schemas["CreateInput"] = { properties: { hs_total_price: 9 } };
// @ts-expect-error - null clears nothing
export const nothing: Schemas["CreateInput"] = { properties: { hs_total_price: null } };
// @ts-expect-error - properties are required
export const bare: Schemas["CreateInput"] = {};
// @ts-expect-error - there is no such key
export const unknown: Schemas["CreateInput"] = { properties: {}, colour: "red" };
// @ts-expect-error - an update names a record
export const nameless: Schemas["UpdateInput"] = { properties: {} };
// @ts-expect-error - an update sets no associations
export const linked: Schemas["UpdateInput"] = { id: "1", properties: {}, associations: [] };
// @ts-expect-error - there is no such category
export const category: Schemas["AssociationType"] = { associationCategory: "OURS", associationTypeId: 507 };
// @ts-expect-error - a record has an id
export const record: Schemas["Record"] = { properties: {}, createdAt: "", updatedAt: "", archived: false };
// @ts-expect-error - tickets are not of the family
export const update = client.POST("/crm/v3/objects/tickets/batch/update", { body: { inputs: [] } });
// @ts-expect-error - an upsert names a unique property
export const upsert: Schemas["UpsertInput"] = { id: "1", properties: {} };
// @ts-expect-error - an operation needs its body
export const bodiless = client.POST("/crm/v3/objects/carts/batch/create");
// @ts-expect-error - it is POST
export const get = client.GET("/crm/v3/objects/carts/batch/create");
