// Runs before the first paint, so that a theme chosen against the system's does not flash.
try {
  var theme = localStorage.getItem("agentops.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Storage may be forbidden; the system's theme then applies.
}
