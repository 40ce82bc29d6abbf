/** Addresses as people write them: lists repeat their name, values are plain text. */

export function readAddress(text: string): Record<string, string | string[]> {
  const search: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(search, name) ? search[name] : undefined;
    search[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return search;
}

/** A reader of addresses after which nothing stays but what it read: the router hands on what a reader leaves out. */
export function strictly<Read extends object>(read: (raw: Record<string, unknown>) => Read): (raw: Record<string, unknown>) => Read {
  return (raw) => {
    const none = Object.fromEntries(Object.keys(raw).map((name) => [name, undefined]));
    return { ...none, ...read(raw) };
  };
}

export function writeAddress(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value == null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  // Colons and commas are harmless in a query, and far easier to read as they are.
  const text = params.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return text ? `?${text}` : "";
}
