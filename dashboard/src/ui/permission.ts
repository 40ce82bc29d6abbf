/** What whoever looks at the page may do: what would be refused is not offered. */

import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../api/account";
import { isFile } from "../api/client";

/** Why there is nothing to change for who may only read. */
export const READ_ONLY = "Your key may only read. Changes need a key with the scope admin.";

/** Whether sessions may be changed and deleted: by everybody on a server without keys, by nobody in a file. */
export function useMayChange(): boolean {
  const { data: me } = useQuery({ ...meQuery, enabled: !isFile() });
  return !isFile() && (!me?.auth || me.scopes.includes("admin"));
}
