// Puts a text on the clipboard: of a message its source, so that its marks can be sent on. Called from a click or a key.
// The asynchronous clipboard exists only in secure contexts, and many installations are plain http; copying by command
// works everywhere.

export function copy(text: string, page: Document = document): boolean {
  const fill = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData('text/plain', text);
  };
  page.addEventListener('copy', fill, { capture: true });
  try {
    return page.execCommand('copy');
  } finally {
    page.removeEventListener('copy', fill, { capture: true });
  }
}
