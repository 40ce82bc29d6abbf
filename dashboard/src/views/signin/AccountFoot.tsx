/** Who is signed in, at the foot of the navigation: the project that is shown, and the way out. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { meQuery, signOut, switchProject } from "../../api/account";

export function AccountFoot() {
  const { data: me } = useQuery(meQuery);
  const leaving = useMutation({ mutationFn: signOut, onSettled: () => location.reload() });
  // Nothing of one project may stay on the page of another.
  const switching = useMutation({ mutationFn: switchProject, onSuccess: () => location.assign("/sessions") });
  if (!me?.signed_in) return null;
  return (
    <>
      {me.projects.length > 1 ? (
        <select
          aria-label="Project"
          value={me.project?.project_id ?? ""}
          disabled={switching.isPending}
          onChange={(event) => switching.mutate(event.currentTarget.value)}
        >
          {me.projects.map((project) => (
            <option key={project.project_id} value={project.project_id}>
              {project.name}
            </option>
          ))}
        </select>
      ) : (
        <span className="dim">{me.project?.name}</span>
      )}
      <button type="button" onClick={() => leaving.mutate()} disabled={leaving.isPending}>
        sign out
      </button>
    </>
  );
}
