import { expect, test } from "vitest";
import { readViews, withView } from "./savedViews";

test("views are read with suspicion", () => {
  expect(readViews('[{"name":"a","search":"state=fail"},{"name":1},null]')).toEqual([{ name: "a", search: "state=fail" }]);
  expect([readViews(""), readViews("{"), readViews("{}")]).toEqual([[], [], []]);
});

test("a view of the same name is replaced where it stands", () => {
  const views = [{ name: "a", search: "1" }, { name: "b", search: "2" }];
  expect(withView(views, { name: "a", search: "3" })).toEqual([{ name: "a", search: "3" }, { name: "b", search: "2" }]);
  expect(withView(views, { name: "c", search: "3" })).toHaveLength(3);
});
