// Runs before the first paint. A theme chosen against the system's must not flash.
try {
  var theme = localStorage.getItem("agentops.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Storage may be forbidden; the system's theme then applies.
}
// What the page shows first travels while its code still loads: a session's events, the first sessions, the charts of the last days.
var session = /^\/sessions\/([^/]+)$/.exec(location.pathname);
var isPlain = !location.search;
var early = [];
if (session) early = ["/sessions/" + session[1], "/sessions/" + session[1] + "/timeline?fields=drawing"];
else if (isPlain && /^\/(sessions)?$/.test(location.pathname)) early = ["/sessions?sort=started&order=desc&limit=50"];
else if (isPlain && location.pathname === "/analytics") early = charts();
early.forEach(function (path) {
  preload("/api" + path, "fetch");
});

function preload(href, as) {
  var link = document.createElement("link");
  link.rel = as === "script" ? "modulepreload" : "preload";
  link.as = as;
  link.crossOrigin = "anonymous"; // As what the page asks for later, styles included: else each is fetched twice.
  link.href = href;
  document.head.appendChild(link);
}

// What src/views/analytics asks for when the address says nothing. Its code first: it is a file of its own, named by the build.
function charts() {
  var code = document.querySelector("meta[name=analytics]");
  (code ? code.content.split(" ") : []).forEach(function (file) {
    preload(file, /css$/.test(file) ? "style" : "script");
  });
  var zone = "local";
  try {
    zone = localStorage.getItem("agentops.zone");
  } catch (error) {
    // The clock of the machine then applies.
  }
  var tz = zone === "utc" ? "UTC" : new Intl.DateTimeFormat().resolvedOptions().timeZone;
  var range = "?since=7d";
  var series = range + "&interval=hour&tz=" + encodeURIComponent(tz);
  return [
    "/analytics" + series,
    "/analytics/breakdown" + series + "&by=model&sort=cost&order=desc",
    "/analytics/errors" + range + "&limit=20",
    "/sessions" + range + "&sort=duration&order=desc&limit=8",
    "/sessions" + range + "&sort=cost&order=desc&limit=8",
  ];
}
