/** What stands before every page: nothing on an open server, the sign-in on one with keys. */

import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../api/account";
import { SignIn } from "../views/signin/SignIn";
import { Shell } from "./Shell";

/** The page is drawn while it is found out who asks: on most servers the answer is "everybody". */
export function Entrance() {
  const { data: me } = useQuery(meQuery);
  return me?.auth && !me.signed_in ? <SignIn /> : <Shell />;
}
