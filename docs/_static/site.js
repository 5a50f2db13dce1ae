// The theme's buttons that unfold a part of the side bar have no name.
for (const summary of document.querySelectorAll(".bd-sidebar-primary summary:not([aria-label])")) {
  const link = summary.closest("li")?.querySelector("a");
  if (link) summary.ariaLabel = `Pages below ${link.textContent.trim()}`;
}
