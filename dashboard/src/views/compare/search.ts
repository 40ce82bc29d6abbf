/** What the address of the Compare page holds: two sessions or two tags, the pair that is open. */

export interface CompareSearch {
  a?: string;
  b?: string;
  tag_a?: string;
  tag_b?: string;
  since?: string;
  /** The row whose texts are compared. */
  row?: string;
  /** All rows, not only those that differ. */
  all?: "true";
}

const NAMES = ["a", "b", "tag_a", "tag_b", "since", "row", "all"] as const;

export function readCompareSearch(raw: Record<string, unknown>): CompareSearch {
  const search: Record<string, string> = {};
  for (const name of NAMES) {
    const value = [raw[name]].flat()[0];
    // A tag that is not named yet stands for the choice of tags.
    const isGiven = value !== "" || name === "tag_a" || name === "tag_b";
    if (value !== undefined && value !== null && isGiven) search[name] = String(value);
  }
  if (search.all !== "true") delete search.all;
  return search;
}
