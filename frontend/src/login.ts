// The sign-in page works without this. It adds: the focus where it is needed, a word about Caps Lock, and one request
// for an impatient double click. The fields are left alone, so that password managers find what they know.

import { strings } from './strings';
import './view/css/login.css';

const form = document.querySelector('form');
const name = document.querySelector<HTMLInputElement>('#username');
const password = document.querySelector<HTMLInputElement>('#password');

(name?.value === '' ? name : password)?.focus();

form?.addEventListener('submit', (event) => {
  if (form.ariaBusy === 'true') event.preventDefault();
  form.ariaBusy = 'true';
});

// Coming back by the browser's Back shows the page as it was left.
addEventListener('pageshow', () => {
  if (form) form.ariaBusy = 'false';
});

const caps = document.createElement('p');
caps.className = 'caps';
caps.role = 'status';
password?.after(caps);
password?.addEventListener('keyup', (event) => {
  if (typeof event.getModifierState !== 'function') return;
  caps.textContent = event.getModifierState('CapsLock') ? strings.login.capsLock : '';
});
