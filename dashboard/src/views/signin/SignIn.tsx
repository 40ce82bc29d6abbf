/** The door of a server with keys: one field, and what to do without a key. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { meQuery, onOtherTab, signIn, tellOtherTabs } from "../../api/account";
import { Brand } from "../../ui/Brand";
import { Failure } from "../../ui/controls";
import { useTitle } from "../../ui/hooks";

export function SignIn() {
  useTitle("Sign in");
  const entering = useMutation({
    mutationFn: signIn,
    // Everything that was asked without a key is asked anew.
    onSuccess: () => {
      tellOtherTabs("signed in or out");
      location.reload();
    },
  });
  const client = useQueryClient();
  // Who signed in on another page is let in here, at once or on coming back.
  useEffect(() => {
    const look = () =>
      void client.fetchQuery({ ...meQuery, staleTime: 0 }).then(
        (me) => me.signed_in && location.reload(),
        () => undefined,
      );
    window.addEventListener("focus", look);
    const stop = onOtherTab(look);
    return () => {
      window.removeEventListener("focus", look);
      stop();
    };
  }, [client]);
  return (
    <main id="main" className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const key = new FormData(event.currentTarget).get("key");
          if (typeof key === "string" && key.trim()) entering.mutate(key.trim());
        }}
      >
        <h1>
          <Brand /> AgentOps
        </h1>
        <label>
          Key
          {/* The page has this one thing to do. */}
          {/* oxlint-disable-next-line jsx-a11y/no-autofocus */}
          <input name="key" type="password" autoComplete="current-password" autoFocus required spellCheck={false} />
        </label>
        <button type="submit" className="btn" disabled={entering.isPending}>
          {entering.isPending ? "Signing in…" : "Sign in"}
        </button>
        {entering.isError && <Failure error={entering.error} />}
        <p className="dim">
          Without a key: <code>agentops keys create --scope read</code> on the server's machine makes one.
        </p>
      </form>
    </main>
  );
}
