// A module with this query is a copy of it: the sign-in page is one file, and shares none with the client.
declare module '*/webauthn?login' {
  export const show: typeof import('./api/webauthn').show;
}
