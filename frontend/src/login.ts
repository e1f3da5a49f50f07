// The sign-in page works without this. It adds: the focus where it is needed, a word about Caps Lock, one request for an
// impatient double click, passkeys where the browser has them, and a look whether the server is there: else the browser would show a page of its own, and what
// was typed would be gone. The fields are left alone, so that password managers find what they know.

import { show } from './api/webauthn?login';
import './view/css/login.css';

const form = document.querySelector('form');
const name = document.querySelector<HTMLInputElement>('#username');
const password = document.querySelector<HTMLInputElement>('#password');

const code = document.querySelector<HTMLInputElement>('.field:not([hidden]) #code');

(code ?? (name?.value === '' ? name : password))?.focus();

const PATIENCE_MS = 10_000;

const away = document.createElement('div');
away.className = 'alert';
away.role = 'alert';
away.hidden = true;
form?.before(away);

form?.addEventListener('submit', (event) => {
  event.preventDefault();
  if (form.ariaBusy === 'true') return;
  form.ariaBusy = 'true';
  void send(form);
});

async function send(form: HTMLFormElement): Promise<void> {
  away.hidden = true;
  try {
    await fetch(location.href, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE_MS) });
    form.submit();
  } catch {
    form.ariaBusy = 'false';
    away.textContent = form.dataset.unreachable ?? '';
    away.hidden = false;
  }
}

// Coming back by the browser's Back shows the page as it was left.
addEventListener('pageshow', () => {
  if (form) form.ariaBusy = 'false';
});

// A button that needs this script, and a browser that has passkeys (none has on plain http).
const passkey = document.querySelector<HTMLButtonElement>('.passkey');
if (passkey && form && 'PublicKeyCredential' in window) {
  passkey.hidden = false;
  passkey.addEventListener('click', () => void usePasskey(form, passkey));
}

/** Asks for a passkey and sends it with the form: the server knows where to go next. */
async function usePasskey(form: HTMLFormElement, button: HTMLButtonElement): Promise<void> {
  if (form.ariaBusy === 'true') return;
  form.ariaBusy = 'true';
  away.hidden = true;
  const token = form.querySelector<HTMLInputElement>('[name=token]')?.value ?? null;
  try {
    const response = await fetch(button.dataset.challenge ?? '', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    // A second step that has become too old: the server's own page says so.
    if (response.status === 400) return form.submit();
    const shown = await show(await response.json());
    if (shown) return submitWith(form, Object.entries(shown));
    away.textContent = button.dataset.failed ?? '';
  } catch {
    away.textContent = form.dataset.unreachable ?? '';
  }
  form.ariaBusy = 'false';
  away.hidden = false;
}

function submitWith(form: HTMLFormElement, fields: [string, string][]): void {
  for (const [name, value] of fields) {
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name, value });
    form.append(field);
  }
  form.submit();
}

const caps = document.createElement('p');
caps.className = 'caps';
caps.role = 'status';
password?.after(caps);
password?.addEventListener('keyup', (event) => {
  if (typeof event.getModifierState !== 'function') return;
  caps.textContent = event.getModifierState('CapsLock') ? (form?.dataset.capsLock ?? '') : '';
});
