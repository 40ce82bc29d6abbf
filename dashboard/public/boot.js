// Runs before the first paint. A theme chosen against the system's must not flash.
try {
  var theme = localStorage.getItem("agentops.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Storage may be forbidden; the system's theme then applies.
}
// A session's events travel while the page's code still loads.
var session = /^\/sessions\/([^/]+)$/.exec(location.pathname);
(session ? ["", "/timeline"] : []).forEach(function (part) {
  var link = document.createElement("link");
  link.rel = "preload";
  link.as = "fetch";
  link.crossOrigin = "anonymous";
  link.href = "/api/sessions/" + session[1] + part;
  document.head.appendChild(link);
});
