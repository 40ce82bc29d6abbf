/** Who is signed in, at the foot of the navigation: the project that is shown, and the way out. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { meQuery, onOtherTab, signOut, switchProject, tellOtherTabs } from "../../api/account";

export function AccountFoot() {
  const { data: me } = useQuery(meQuery);
  const leaving = useMutation({ mutationFn: signOut, onSuccess: () => tellOtherTabs("signed in or out"), onSettled: () => location.reload() });
  const switching = useMutation({
    mutationFn: switchProject,
    onSuccess: () => {
      tellOtherTabs("another project");
      location.assign("/sessions");
    },
  });
  // Nothing of one project may stay on the page of another, in whichever tab it was chosen.
  useEffect(() => onOtherTab((change) => (change === "another project" ? location.assign("/sessions") : location.reload())), []);
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
