// Runs before the first paint. A theme chosen against the system's must not flash.
try {
  var theme = localStorage.getItem("agentops.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Storage may be forbidden; the system's theme then applies.
}
// What the page shows first travels while its code still loads: a session's events, or the first sessions.
var session = /^\/sessions\/([^/]+)$/.exec(location.pathname);
var isList = !session && /^\/(sessions)?$/.test(location.pathname) && !location.search;
var early = session ? ["/" + session[1], "/" + session[1] + "/timeline?fields=drawing"] : isList ? ["?sort=started&order=desc&limit=50"] : [];
early.forEach(function (part) {
  var link = document.createElement("link");
  link.rel = "preload";
  link.as = "fetch";
  link.crossOrigin = "anonymous";
  link.href = "/api/sessions" + part;
  document.head.appendChild(link);
});
