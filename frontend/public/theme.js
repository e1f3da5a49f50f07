// Runs before the first paint, so that a chosen scheme is there from the start.
try {
  const theme = localStorage.getItem('chatd:theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's scheme is used.
}
