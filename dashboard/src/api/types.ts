/** The server's answers by their names. The shapes are generated from its OpenAPI description (`npm run types`). */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Session"];
export type SessionDetail = Schemas["SessionDetail"];
export type SessionPage = Schemas["SessionPage"];
export type EventDetail = Schemas["EventDetail"];
export type Timeline = Schemas["Timeline"];
export type Facets = Schemas["Facets"];
export type LogPage = Schemas["LogPage"];
export type Ledger = Schemas["SessionLedger"];
export type Health = Schemas["Health"];
export type Analytics = Schemas["Analytics"];
export type SessionsEdited = components["schemas"]["SessionsEdited"];
