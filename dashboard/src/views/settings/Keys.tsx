/** Projects and keys, for whoever may manage them: what there is, and making, replacing and ending keys. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { createKey, createProject, type KeyInfo, keysQuery, type Me, meQuery, type NewKey, revokeKey, rotateKey } from "../../api/account";
import { epochMicros } from "../../model/units";
import { Confirm, Copy, Dialog, Failure } from "../../ui/controls";
import { Minute } from "../../ui/time";

/** Nothing on a server without keys, and for those who may only look. */
export function Keys() {
  const { data: me } = useQuery(meQuery);
  if (!me?.auth || !me.scopes.includes("admin")) return null;
  return <Managed me={me} />;
}

function Managed({ me }: { me: Me }) {
  const project = me.project?.project_id ?? "";
  const client = useQueryClient();
  const { data: keys, error, refetch } = useQuery(keysQuery(project));
  const [shown, setShown] = useState<NewKey | null>(null);
  const [ending, setEnding] = useState<KeyInfo | null>(null);
  const settled = { onSettled: () => client.invalidateQueries({ queryKey: ["keys"] }) };
  const making = useMutation({ mutationFn: createKey, onSuccess: setShown, ...settled });
  const rotating = useMutation({ mutationFn: rotateKey, onSuccess: setShown, ...settled });
  const revoking = useMutation({ mutationFn: revokeKey, ...settled });
  const founding = useMutation({
    mutationFn: createProject,
    onSuccess: () => client.invalidateQueries({ queryKey: ["me"] }),
  });
  const failure = making.error ?? rotating.error ?? revoking.error ?? founding.error;

  function make(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const days = Number(given.get("days"));
    making.mutate({
      name: String(given.get("name") ?? ""),
      scope: String(given.get("scope")),
      project,
      expires_in_days: days > 0 ? days : null,
    });
    event.currentTarget.reset();
  }

  return (
    <section className="account">
      <h2>Keys of {me.project?.name}</h2>
      <p className="dim">A program that records needs a key with the scope record: it can write and read nothing.</p>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {failure && <Failure error={failure} />}
      {keys && (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>Key</th>
                <th>Name</th>
                <th>Scope</th>
                <th>Created</th>
                <th>Last used</th>
                <th>Ends</th>
                <th>
                  <span className="unseen">What to do</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <tr key={key.key_id} className={key.state === "active" ? "" : "dim"}>
                  <td className="mono">{key.key_id}…</td>
                  <td>{key.name}</td>
                  <td>{key.scopes.join(", ")}</td>
                  <td>{dated(key.created_at)}</td>
                  <td>{dated(key.last_used_at)}</td>
                  <td>{key.state === "active" ? dated(key.expires_at) : key.state}</td>
                  <td>
                    {key.state === "active" && (
                      <>
                        <button type="button" className="btn quiet" onClick={() => rotating.mutate(key.key_id)}>
                          Replace
                        </button>
                        <button type="button" className="btn quiet" onClick={() => setEnding(key)}>
                          Revoke
                        </button>
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <form className="wish" onSubmit={make}>
        <input name="name" placeholder="What the key is for" aria-label="Name of the key" maxLength={100} />
        <select name="scope" aria-label="Scope" defaultValue="record">
          <option value="record">record</option>
          <option value="read">read</option>
          <option value="record,read">record and read</option>
          <option value="admin">admin</option>
        </select>
        <input name="days" type="number" min={1} max={36500} placeholder="days" aria-label="Days until it ends" />
        <button type="submit" className="btn" disabled={making.isPending}>
          Make a key
        </button>
      </form>
      {me.projects.length > 0 && me.project?.project_id !== undefined && (
        <form
          className="wish"
          onSubmit={(event) => {
            event.preventDefault();
            const name = String(new FormData(event.currentTarget).get("project") ?? "").trim();
            if (name) founding.mutate(name);
            event.currentTarget.reset();
          }}
        >
          <input name="project" placeholder="Name of a new project" aria-label="Name of the project" maxLength={100} required />
          <button type="submit" className="btn" disabled={founding.isPending}>
            Make a project
          </button>
        </form>
      )}
      {shown && (
        <Dialog title="Your new key" onClose={() => setShown(null)}>
          <p>It is shown only now. Keep it where secrets are kept.</p>
          <p className="mono new-key">{shown.key}</p>
          <footer>
            <Copy text={shown.key} label="Copy the key" />
          </footer>
        </Dialog>
      )}
      {ending && (
        <Confirm
          title={`Revoke ${ending.key_id}…`}
          does="Revoke"
          onConfirm={() => {
            revoking.mutate(ending.key_id);
            setEnding(null);
          }}
          onClose={() => setEnding(null)}
        >
          Programs and people that use this key{ending.name ? ` (${ending.name})` : ""} are refused from now on.
        </Confirm>
      )}
    </section>
  );
}

function dated(iso: string | null) {
  return iso ? <Minute at={epochMicros(iso)} /> : "–";
}
